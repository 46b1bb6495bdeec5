//! The rows of a CSV file, one by one, each within bounds.
//!
//! A quote that does not close would swallow the rest of a file; so when a row does not come to its end
//! within the bounds, or ends with another number of values than the header has, its first line alone
//! is broken and reading goes on behind that.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Most lines of one row, and most values.
const MAX_LINES: u64 = 1_000;
const MAX_VALUES: usize = 1_000;

/// The mark that some programs put at the beginning of UTF-8.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Where a row begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// In bytes.
    pub(super) offset: u64,
    /// Counted from one.
    pub(super) line: u64,
}

/// A row of a file.
#[derive(Debug)]
pub(super) enum Record<'a> {
    Values(Values<'a>),
    Broken(&'static str),
}

/// The values of a row.
#[derive(Debug)]
pub(super) struct Values<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Values<'a> {
    /// The value at a place.
    pub(super) fn get(&self, place: usize) -> &'a [u8] {
        let begin = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let end = self.ends.get(place).copied();
        begin.zip(end).and_then(|(begin, end)| self.bytes.get(begin..end)).unwrap_or_default()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// The rows of a file.
#[derive(Debug)]
pub(super) struct Records {
    file: BufReader<File>,
    parser: Reader,
    /// Where the next row begins.
    place: Place,
    /// Whether the file begins with the mark of UTF-8, which the parser passes over.
    marked: bool,
    longest: usize,
    line: Vec<u8>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// How a line ended.
enum Line {
    End,
    Whole,
    TooLong,
}

impl Records {
    pub(super) fn new(file: File, place: Place, delimiter: u8, longest: usize) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 16, file);
        file.seek(SeekFrom::Start(place.offset))?;
        Ok(Self {
            file,
            parser: ReaderBuilder::new().delimiter(delimiter).build(),
            place,
            marked: false,
            longest,
            line: Vec::new(),
            bytes: vec![0; longest.saturating_add(2)],
            ends: vec![0; MAX_VALUES],
        })
    }

    /// Where the next row begins.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Whether the line that was read last begins with the mark of UTF-8.
    pub(super) fn is_marked(&self) -> bool {
        self.marked
    }

    /// The next row and where it begins; it must have so many values, unless it is the header.
    pub(super) fn next(
        &mut self,
        values: Option<usize>,
    ) -> io::Result<Option<(Place, Record<'_>)>> {
        let begin = loop {
            let begin = self.place;
            match self.read_line()? {
                Line::End => return Ok(None),
                Line::TooLong => return Ok(Some((begin, Record::Broken("line is too long")))),
                Line::Whole if matches!(&self.line[..], b"\n" | b"\r\n") => {}
                Line::Whole => break begin,
            }
        };
        let second = self.place;
        self.marked = self.line.starts_with(BOM);
        match self.parse()? {
            Ok((bytes, ends)) if values.is_none_or(|values| values == ends) => {
                let bytes = self.bytes.get(..bytes).unwrap_or_default();
                let ends = self.ends.get(..ends).unwrap_or_default();
                Ok(Some((begin, Record::Values(Values { bytes, ends }))))
            }
            Ok(_) => {
                self.back_to(second)?;
                Ok(Some((
                    begin,
                    Record::Broken("line has another number of values than the header"),
                )))
            }
            Err(why) => {
                self.back_to(second)?;
                Ok(Some((begin, Record::Broken(why))))
            }
        }
    }

    /// Parses the line that was read and as many more as the row needs.
    fn parse(&mut self) -> io::Result<Result<(usize, usize), &'static str>> {
        self.parser.reset();
        let (mut bytes, mut ends) = (0, 0);
        for _ in 0..MAX_LINES {
            let room = self.bytes.get_mut(bytes..).unwrap_or_default();
            let ends_room = self.ends.get_mut(ends..).unwrap_or_default();
            let (result, _, wrote, ended) = self.parser.read_record(&self.line, room, ends_room);
            bytes += wrote;
            ends += ended;
            match result {
                ReadRecordResult::Record => return Ok(Ok((bytes, ends))),
                ReadRecordResult::OutputFull => return Ok(Err("row is too long")),
                ReadRecordResult::OutputEndsFull => return Ok(Err("row has too many values")),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
            if !matches!(self.read_line()?, Line::Whole) {
                break;
            }
        }
        Ok(Err("quote is not closed"))
    }

    /// Reads the next line, with its end; the last one gets one.
    fn read_line(&mut self) -> io::Result<Line> {
        self.line.clear();
        let most = u64::try_from(self.longest).unwrap_or(u64::MAX);
        let mut taken = self.file.by_ref().take(most);
        let mut read = taken.read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(Line::End);
        }
        let mut whole = self.line.last() == Some(&b'\n');
        if !whole && read >= self.longest {
            read += self.skip_line()?;
        } else if !whole {
            self.line.push(b'\n');
            whole = true;
        }
        self.place.offset = self.place.offset.saturating_add(u64::try_from(read).unwrap_or(0));
        self.place.line = self.place.line.saturating_add(1);
        Ok(if whole { Line::Whole } else { Line::TooLong })
    }

    /// Passes over the rest of a line.
    fn skip_line(&mut self) -> io::Result<usize> {
        let mut passed = 0;
        loop {
            let buffer = self.file.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let count = end.map_or(buffer.len(), |end| end.saturating_add(1));
            self.file.consume(count);
            passed += count;
            if end.is_some() || count == 0 {
                return Ok(passed);
            }
        }
    }

    fn back_to(&mut self, place: Place) -> io::Result<()> {
        if self.place != place {
            self.file.seek(SeekFrom::Start(place.offset))?;
            self.place = place;
        }
        Ok(())
    }
}
