//! CSV: a line of names, then one event a line.

use crate::file::{EventFile, FileFault};
use crate::report::{Report, Warning};
use csv::{ByteRecord, ReaderBuilder};
use ruleferry_diag::codes;
use smol_str::SmolStr;
use std::fs::File;

/// Gets the line of an event and its cells.
pub(crate) type OnCells<'f> = &'f mut dyn FnMut(u64, &[Option<&str>], &mut Report);

/// Reads events: `names` gets the columns once, `on` the line of each event with its cells, empty ones as `None`.
pub(crate) fn read(
    file: &EventFile,
    delimiter: u8,
    report: &mut Report,
    names: &mut dyn FnMut(Vec<SmolStr>),
    on: OnCells<'_>,
) -> Result<(), FileFault> {
    let input = File::open(&file.path).map_err(|e| file.fault(e))?;
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(input);
    let header = reader.byte_headers().map_err(|e| file.fault(e))?.clone();
    // The portal of Log Analytics writes the zone behind the names of times.
    let name = |n: &[u8]| SmolStr::from(String::from_utf8_lossy(n).trim().trim_end_matches(" [UTC]"));
    let columns: Vec<SmolStr> = header.iter().map(name).collect();
    let width = columns.len();
    names(columns);
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(e) => return Err(file.fault(e)),
        }
        let line = record.position().map_or(0, csv::Position::line);
        let mut skip = |message: String| {
            report.skip(Warning {
                code: codes::DATA_BAD_EVENT,
                file: file.shown.clone(),
                line: Some(line),
                message,
            });
        };
        if record.len() != width {
            skip(format!("the line has {} values for {width} columns", record.len()));
            continue;
        }
        let cells: Result<Vec<Option<&str>>, _> =
            record.iter().map(|c| std::str::from_utf8(c).map(some)).collect();
        match cells {
            Ok(cells) => on(line, &cells, report),
            Err(_) => skip("the line is not UTF-8".to_owned()),
        }
    }
}

/// CSV has no way to tell a missing value from an empty one; exports leave missing ones empty.
fn some(cell: &str) -> Option<&str> {
    (!cell.is_empty()).then_some(cell)
}
