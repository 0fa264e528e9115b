//! The console blocks of README run as they stand there, at the root of the repository.

#[test]
fn readme() {
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .expect("the root is there");
    trycmd::TestCases::new().case("README.md");
}
