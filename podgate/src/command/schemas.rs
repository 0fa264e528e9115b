//! `podgate schemas`: the JSON Schemas of the files of a suite, for editors.

use std::fs;
use std::path::Path;

use podgate_harness::error::Error;
use podgate_harness::suite::schema::schemas;

use crate::args::Output;
use crate::exit::Exit;
use crate::show;

pub(crate) fn run(folder: &Path) -> Result<Exit, Error> {
    for (name, schema) in schemas() {
        let path = folder.join(name);
        let text = show::serialized(&schema, Output::Json)?.unwrap_or_default();
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
        written
            .map_err(|error| Error::input(format!("cannot write {}: {error}", path.display())))?;
        show::note(&format!("wrote {}", path.display()));
    }
    Ok(Exit::Expected)
}
