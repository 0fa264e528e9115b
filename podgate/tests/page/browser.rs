//! A real browser without a window: Chromium behind chromedriver, asked by `WebDriver`'s few requests
//! (<https://www.w3.org/TR/webdriver2/>) through the HTTP client that the tests have anyway.

use std::env;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use http::Request;
use kube::client::Body;
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// How `WebDriver` marks the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A window of its own, gone with this value.
pub(crate) struct Browser {
    driver: Child,
    runtime: Runtime,
    client: Client,
    /// `/session/ID`
    session: String,
}

impl Browser {
    /// A browser with these `goog:chromeOptions`; `None`, said loudly, where none is installed.
    pub(crate) fn start(options: &Value) -> Option<Self> {
        let (Some(driver), Some(chromium)) = (found("chromedriver"), browser()) else {
            // Not through a macro of the standard library: tests hide what those print.
            let _ = writeln!(
                std::io::stderr(),
                "LEFT OUT: the HTML page in a browser (chromium and chromedriver are not installed)"
            );
            return None;
        };
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver runs");
        let said = BufReader::new(driver.stdout.take().expect("its output")).lines();
        let port = said.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let uri = format!("http://127.0.0.1:{}", port.expect("a port"));
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            Client::try_from(Config::new(uri.parse().expect("an address"))).expect("a client")
        });
        let mut chrome = json!({
            "binary": chromium,
            // The sandbox needs a user that is not root; the page is podgate's own.
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900"],
        });
        for (key, value) in options.as_object().expect("options") {
            chrome[key] = value.clone();
        }
        let mut browser = Self {
            driver,
            runtime,
            client,
            session: String::new(),
        };
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": chrome}}});
        let session = browser.ask("POST", "/session", &wanted);
        let id = session["sessionId"].as_str().expect("a session");
        browser.session = format!("/session/{id}");
        Some(browser)
    }

    pub(crate) fn open(&self, page: &Path) {
        let url = format!("file://{}", page.display());
        self.ask("POST", "/url", &json!({"url": url}));
    }

    /// What a script comes to.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.ask(
            "POST",
            "/execute/sync",
            &json!({"script": script, "args": []}),
        )
    }

    /// Clicks what a reader sees there; that something else covers it is an error.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.ask("POST", &format!("/element/{element}/click"), &json!({}));
    }

    pub(crate) fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        let path = format!("/element/{element}");
        self.ask("POST", &format!("{path}/clear"), &json!({}));
        self.ask("POST", &format!("{path}/value"), &json!({"text": text}));
    }

    /// The texts, as a reader sees them, of all elements that are shown.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.ask("POST", "/elements", &wanted);
        let ids = found.as_array().expect("elements").iter();
        let texts = ids.filter_map(|element| {
            let path = format!("/element/{}", element[ELEMENT].as_str().expect("an id"));
            let shown = self.ask("GET", &format!("{path}/displayed"), &Value::Null);
            let text = || self.ask("GET", &format!("{path}/text"), &Value::Null);
            (shown == json!(true)).then(|| text().as_str().unwrap_or_default().to_owned())
        });
        texts.collect()
    }

    fn element(&self, selector: &str) -> String {
        let wanted = json!({"using": "css selector", "value": selector});
        let element = self.ask("POST", "/element", &wanted);
        element[ELEMENT].as_str().expect("an id").to_owned()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.session))
            .body(body)
            .expect("a request");
        let answer = self.runtime.block_on(async {
            let response = self.client.send(request.map(Body::from)).await?;
            response.into_body().collect_bytes().await
        });
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        let value = &answer["value"];
        assert_eq!(value.get("error"), None, "{method} {path}: {value}");
        value.clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // It closes the browser; what cannot be closed is killed with its driver.
            let request = Request::delete(&self.session).body(Vec::new());
            let request = request.expect("a request");
            let _ = self.runtime.block_on(self.client.request_text(request));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    names.into_iter().find_map(found)
}

/// A program of the search path.
fn found(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
