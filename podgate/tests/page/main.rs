//! The HTML page of `podgate test --report html=FILE` in a real browser: what a reader filters, clicks
//! and reads, on a desktop, on a phone, and where scripts are off.

mod browser;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use browser::Browser;

/// The page of some scenarios of this repository, everything as recorded.
fn page_of_suite(folder: &TempDir) -> PathBuf {
    let page = folder.path().join("suite.html");
    let scenarios = [
        "root-pod",
        "cxp-hello-k8s",
        "traps/long-warnings-are-cut",
        "turn-on-restricted",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    podgate(&root, &scenarios, &page, 0);
    page
}

/// The page of the example of `podgate init`, after an edit that restricted has something against.
fn page_of_change(folder: &TempDir) -> PathBuf {
    let path = folder.path();
    let init = Command::new(env!("CARGO_BIN_EXE_podgate"))
        .arg("init")
        .current_dir(path)
        .output();
    assert!(init.expect("podgate runs").status.success());
    let scenario = path.join("scenarios/hello.yaml");
    let text = std::fs::read_to_string(&scenario).expect("the example");
    let edited = text.replace("runAsNonRoot: true", "runAsNonRoot: false");
    assert_ne!(text, edited);
    std::fs::write(scenario, edited).expect("a folder to write to");
    let page = path.join("change.html");
    podgate(path, &[], &page, 1);
    page
}

fn podgate(folder: &Path, scenarios: &[&str], page: &Path, code: i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_podgate"))
        .args(["test", "--quiet", "--report"])
        .arg(format!("html={}", page.display()))
        .args(scenarios)
        .env("CI", "true")
        .current_dir(folder)
        .output()
        .expect("podgate runs");
    assert_eq!(output.status.code(), Some(code), "{output:?}");
}

#[track_caller]
fn contains(texts: &[String], wanted: &str) {
    assert!(
        texts.iter().any(|text| text.contains(wanted)),
        "{wanted:?} is not in {texts:#?}"
    );
}

#[test]
fn a_reader_filters_clicks_and_reads() {
    let folder = TempDir::new().expect("a folder");
    let Some(browser) = Browser::start(&json!({})) else {
        return;
    };
    browser.open(&page_of_change(&folder));
    let rows = || browser.texts(".object");
    contains(&browser.texts("h2"), "5 things to look at");
    assert_eq!(rows(), ["Deployment/hello :14", "Pod/root :39"]);

    // The diff stands in place, and the list above leads there.
    contains(&browser.texts("del"), "recorded: admitted");
    contains(
        &browser.texts("ins"),
        "observed: rejected 403 by PodSecurity: pods",
    );
    contains(
        &browser.texts(".change p"),
        "at scenarios/hello.yaml:28:9 spec.template.spec.securityContext.runAsNonRoot",
    );
    browser.click(".problems li:nth-child(3) a");
    assert_eq!(browser.run("return location.hash"), "#row-0");

    // Rows by what became of them, columns by cluster.
    browser.click("label:has(#show-undecided)");
    assert_eq!(rows(), [""; 0]);
    let said =
        browser.run("return getComputedStyle(document.querySelector('main'), '::after').content");
    assert_eq!(said, "\"There is nothing undecided.\"");
    browser.click("label:has(#show-changed)");
    assert_eq!(rows(), ["Deployment/hello :14"]);
    browser.click("label:has(#show-rejected)");
    assert_eq!(rows().len(), 2);
    let heads = || browser.texts(".head span:not(:empty)");
    assert_eq!(heads(), ["psa-baseline-warn-restricted", "psa-restricted"]);
    browser.click("label:has(#cluster-0)");
    assert_eq!(heads(), ["psa-restricted"]);
    browser.click("label:has(#cluster-0)");

    // A cell that is clicked shows what its cluster answered, and where the reason stands.
    let cell = |cluster: u8| format!("#row-1 .cell.cluster-{cluster}");
    assert_eq!(browser.texts(".asked"), [""; 0]);
    browser.click(&cell(1));
    let asked = browser.texts(".asked");
    assert_eq!(asked.len(), 1);
    for part in [
        "psa-restricted\n1.23.. rejected 403 by PodSecurity\n",
        "pods \"root\" is forbidden: violates PodSecurity \"restricted:latest\":",
        "runAsUser=0 (container \"root\" must not set runAsUser=0) at scenarios/hello.yaml:48:9",
    ] {
        contains(&asked, part);
    }
    // Another cell of the same row asks about another cluster; the same cell again closes the row.
    browser.click(&cell(0));
    contains(
        &browser.texts(".asked"),
        "psa-baseline-warn-restricted\n1.23.. admitted\nwarning\n",
    );
    browser.click(&cell(0));
    assert_eq!(browser.texts(".asked"), [""; 0]);

    // The search looks into names and messages.
    browser.write("#search", "runAsUser=0");
    assert_eq!(rows(), ["Pod/root :39"]);
    browser.write("#search", "nothing of the kind");
    assert_eq!(rows(), [""; 0]);
}

#[test]
fn on_a_phone_nothing_sticks_out() {
    let folder = TempDir::new().expect("a folder");
    let phone = json!({"mobileEmulation": {"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 1}}});
    let Some(browser) = Browser::start(&phone) else {
        return;
    };
    for page in [page_of_suite(&folder), page_of_change(&folder)] {
        browser.open(&page);
        let widths = "return [innerWidth, document.documentElement.scrollWidth]";
        assert_eq!(browser.run(widths), json!([390, 390]));
        let open = "for (const row of document.querySelectorAll('details')) row.open = true;";
        assert_eq!(browser.run(&format!("{open} {widths}")), json!([390, 390]));
        assert_eq!(browser.texts(".head"), [""; 0]);
        // No part of the matrix has a scroll bar of its own either, and cells name their clusters.
        let wide = "return [...document.querySelectorAll('.matrix')].filter(it => it.scrollWidth > it.clientWidth).length";
        assert_eq!(browser.run(wide), 0);
        contains(&browser.texts(".cell"), "psa-restricted ✗");
    }
}

#[test]
fn without_scripts_everything_is_there() {
    let folder = TempDir::new().expect("a folder");
    let page = page_of_suite(&folder);
    let no_scripts = json!({"prefs": {"profile.managed_default_content_settings.javascript": 2}});
    let Some(browser) = Browser::start(&no_scripts) else {
        return;
    };
    browser.open(&page);
    assert_eq!(
        browser.texts("#search"),
        [""; 0],
        "the search needs a script"
    );
    contains(
        &browser.texts(".good"),
        "All is as recorded and as expected.",
    );
    contains(&browser.texts(".object"), "Deployment/cxp-hello-k8s :42");
    contains(
        &browser.texts("p"),
        "A plain pod whose container runs as uid 0.",
    );
    // Rows open, and the filters filter.
    assert_eq!(browser.texts(".message"), [""; 0]);
    browser.click("summary .cell");
    contains(
        &browser.texts(".message"),
        "unrestricted capabilities (container \"cxp-hello-k8s\" must set securityContext.capabilities.drop=[\"ALL\"])",
    );
    browser.click("label:has(#show-undecided)");
    assert_eq!(browser.texts(".row"), [""; 0]);
}
