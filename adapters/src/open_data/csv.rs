//! Records as CSV: RFC 4180, UTF-8, every line ended by CR and LF.

/// The text of a file: a line of names, then the records.
pub(super) fn write<'a>(names: impl Iterator<Item = &'a str>, records: &[Vec<String>]) -> String {
    let mut text = String::new();
    line(&mut text, names);
    for record in records {
        line(&mut text, record.iter().map(String::as_str));
    }
    text
}

fn line<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(',');
        }
        if cell.contains([',', '"', '\r', '\n']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(cell);
        }
    }
    text.push_str("\r\n");
}
