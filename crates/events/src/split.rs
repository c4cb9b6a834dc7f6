//! Cuts a file of JSON into its events, as a stream.
//!
//! In: bytes. Out: the text of one event after the other with the line where it begins, or why there is none. Events stand in
//! an array, one behind the other, or one a line. An event that is cut short ends where the next one begins, so that one bad
//! line costs one event.

use crate::{MAX_DEPTH, MAX_EVENT};
use std::io::{self, Read};

/// A piece of the file that is an event, or should be one.
#[derive(Debug)]
pub(crate) struct Piece<'b> {
    /// From 1.
    pub line: u64,
    pub text: Result<&'b str, &'static str>,
}

pub(crate) struct Splitter<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer was given out.
    at: usize,
    ended: bool,
    line: u64,
    /// One event a line, whatever happens.
    lines: bool,
    /// How often reading went back to the line behind the start of an event without an end.
    returns: u32,
}

/// Reading goes back so often; then the rest of the file is one broken piece, so that a file is not read over and over.
const MAX_RETURNS: u32 = 16;

const CHUNK: usize = 256 * 1024;

/// How a look at the next bytes ends.
enum Found {
    /// The event ends before this offset.
    Whole(usize),
    /// Something that is no event ends before this offset.
    Broken(usize, &'static str),
    /// More bytes are needed to tell.
    More,
}

impl<R: Read> Splitter<R> {
    pub fn new(input: R, lines: bool) -> Self {
        Self { input, buffer: Vec::new(), at: 0, ended: false, line: 1, lines, returns: 0 }
    }

    /// The next piece; `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        if !self.skip_between()? {
            return Ok(None);
        }
        let line = self.line;
        let mut scan = Scan::new(self.lines, self.indentation());
        let found = loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            match scan.look(rest) {
                Found::More if rest.len() > MAX_EVENT => {
                    break Found::Broken(self.way_back(), "it is larger than any event may be");
                }
                Found::More if !self.ended => self.fill()?,
                // Where the next line begins that may be an event.
                Found::More => break Found::Broken(self.way_back(), "it is cut short"),
                found => break found,
            }
        };
        let (end, fault) = match found {
            Found::Whole(end) => (end, None),
            Found::Broken(end, what) => (end.max(1), Some(what)),
            Found::More => (0, None),
        };
        let from = self.at;
        self.advance(end);
        let bytes = self.buffer.get(from..self.at).unwrap_or_default();
        let text = match fault {
            Some(what) => Err(what),
            None => std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8"),
        };
        Ok(Some(Piece { line, text }))
    }

    /// Where to go on behind an event without an end: at its second line.
    fn way_back(&mut self) -> usize {
        self.returns += 1;
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let again = self.returns <= MAX_RETURNS;
        line_end(rest).filter(|_| again).unwrap_or(rest.len())
    }

    /// Passes over what stands between events; `false` at the end.
    fn skip_between(&mut self) -> io::Result<bool> {
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let between =
                |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b',' | b'[' | b']' | 0xEF | 0xBB | 0xBF);
            if let Some(length) = rest.iter().position(|b| !between(b)) {
                self.advance(length);
                return Ok(true);
            }
            self.advance(rest.len());
            if self.ended {
                return Ok(false);
            }
            self.fill()?;
        }
    }

    /// How far the next byte is indented, if it is the first of its line.
    fn indentation(&self) -> Option<usize> {
        let before = self.buffer.get(..self.at).unwrap_or_default();
        let blanks = before.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
        match before.get(..before.len() - blanks).and_then(<[u8]>::last) {
            None | Some(b'\n') => Some(blanks),
            Some(_) => None,
        }
    }

    fn advance(&mut self, by: usize) {
        let passed = self.buffer.get(self.at..self.at + by).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at += by;
    }

    fn fill(&mut self) -> io::Result<()> {
        // What was given out goes, but for the line that stands before the next byte.
        if self.at > CHUNK {
            let line = self.buffer.get(..self.at).and_then(|b| memchr::memrchr(b'\n', b)).unwrap_or(0);
            self.buffer.drain(..line);
            self.at -= line;
        }
        let length = self.buffer.len();
        self.buffer.resize(length + CHUNK, 0);
        let read = match self.buffer.get_mut(length..) {
            Some(space) => read_some(&mut self.input, space),
            None => Ok(0),
        };
        self.buffer.truncate(length + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        Ok(())
    }
}

fn read_some(input: &mut impl Read, space: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(space) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', bytes).map(|n| n + 1)
}

/// The state of a look at one event; goes on where it stopped when there are more bytes.
struct Scan {
    lines: bool,
    /// Indentation of the line that the event begins on; a nested object is indented deeper, or stands where one may.
    indentation: Option<usize>,
    at: usize,
    /// What is open: true for an array.
    open: Vec<bool>,
    too_deep: usize,
    in_string: bool,
    /// The last byte outside of strings that is no blank.
    last: u8,
    /// Blanks at the start of the line, as long as there are only such.
    margin: Option<usize>,
}

impl Scan {
    const fn new(lines: bool, indentation: Option<usize>) -> Self {
        Self {
            lines,
            indentation,
            at: 0,
            open: Vec::new(),
            too_deep: 0,
            in_string: false,
            last: 0,
            margin: None,
        }
    }

    fn look(&mut self, bytes: &[u8]) -> Found {
        while let Some(byte) = bytes.get(self.at).copied() {
            if self.in_string {
                match self.string(bytes, byte) {
                    Some(found) => return found,
                    None => continue,
                }
            }
            let at = self.at;
            self.at += 1;
            match byte {
                b'\n' => {
                    if self.lines {
                        return Found::Broken(at + 1, "it is cut short");
                    }
                    self.margin = Some(0);
                    continue;
                }
                b' ' | b'\t' | b'\r' => {
                    self.margin = self.margin.map(|n| n + 1);
                    continue;
                }
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    if byte == b'{' && self.begins_anew() {
                        return Found::Broken(at, "it is cut short");
                    }
                    if self.open.len() > MAX_DEPTH + 1 {
                        self.too_deep += 1;
                    } else {
                        self.open.push(byte == b'[');
                    }
                }
                b'}' | b']' => {
                    if self.too_deep > 0 {
                        self.too_deep -= 1;
                    } else {
                        self.open.pop();
                    }
                    if self.open.is_empty() {
                        return Found::Whole(at + 1);
                    }
                }
                _ => {}
            }
            if self.open.is_empty() {
                // No object begins here: the line is none of ours.
                return match line_end(bytes) {
                    Some(end) => Found::Broken(end, "it is no JSON object"),
                    None => {
                        self.at = 0;
                        self.in_string = false;
                        Found::More
                    }
                };
            }
            self.last = byte;
            self.margin = None;
        }
        Found::More
    }

    /// Inside of a text: goes on behind what needs no look.
    fn string(&mut self, bytes: &[u8], byte: u8) -> Option<Found> {
        match byte {
            b'"' => {
                self.in_string = false;
                self.last = b'"';
                self.at += 1;
            }
            b'\\' => {
                // The escaped byte may not be there yet.
                if bytes.get(self.at + 1).is_none() {
                    return Some(Found::More);
                }
                self.at += 2;
            }
            // No text of JSON holds a line end.
            b'\n' => return Some(Found::Broken(self.at + 1, "a text is not closed: it is cut short")),
            _ => {
                let rest = bytes.get(self.at..).unwrap_or_default();
                match memchr::memchr3(b'"', b'\\', b'\n', rest) {
                    Some(n) => self.at += n,
                    None => {
                        self.at = bytes.len();
                        return Some(Found::More);
                    }
                }
            }
        }
        None
    }

    /// An object that begins at the margin of the event, where no value may stand, is the next event.
    fn begins_anew(&self) -> bool {
        let at_margin = self.margin.is_some() && self.margin == self.indentation;
        let value_may_stand = match self.last {
            b':' | b'[' => true,
            b',' => self.open.last() == Some(&true),
            _ => false,
        };
        at_margin && !self.open.is_empty() && !value_may_stand
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Gives one byte at a time, so that every place is the end of what is known.
    struct Slow<'t>(&'t [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            *space.first_mut().unwrap() = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn pieces(text: &[u8], lines: bool) -> Vec<(u64, Result<String, &'static str>)> {
        fn all<R: Read>(mut splitter: Splitter<R>) -> Vec<(u64, Result<String, &'static str>)> {
            let mut all = Vec::new();
            while let Some(piece) = splitter.next().unwrap() {
                all.push((piece.line, piece.text.map(str::to_owned)));
            }
            all
        }
        let whole = all(Splitter::new(text, lines));
        if text.len() < 1000 {
            assert_eq!(whole, all(Splitter::new(Slow(text), lines)));
        }
        whole
    }

    fn good(text: &str) -> Vec<String> {
        pieces(text.as_bytes(), false).into_iter().filter_map(|(_, t)| t.ok()).collect()
    }

    #[test]
    fn every_layout_is_cut() {
        assert_eq!(good("[{\"a\": \"}\"}, {\"b\": [{}]}]"), ["{\"a\": \"}\"}", "{\"b\": [{}]}"]);
        assert_eq!(good("\u{feff}{\"a\": 1}{\"b\": 2}\n{\n \"c\": 3\n}\n").len(), 3);
        assert_eq!(
            good("{\n\"a\": [\n{\n\"b\": 1\n},\n{}\n]\n}\n{}"),
            ["{\n\"a\": [\n{\n\"b\": 1\n},\n{}\n]\n}", "{}"]
        );
        assert!(good("").is_empty() && good("[]").is_empty());
    }

    #[test]
    fn one_bad_line_costs_one_event() {
        let text = b"{\"a\": 1}\n{\"a\": \"x\n{\"a\": 2}\n{\"a\": 3,\n{\"a\": 4}\nnonsense\n{\"a\": 5}\n{\"a\": \"\xff\"}\n{\"a\": 6";
        for lines in [false, true] {
            let found = pieces(text, lines);
            let good: Vec<u64> = found.iter().filter(|(_, t)| t.is_ok()).map(|(n, _)| *n).collect();
            let bad: Vec<u64> = found.iter().filter(|(_, t)| t.is_err()).map(|(n, _)| *n).collect();
            assert_eq!((good, bad), (vec![1, 3, 5, 7], vec![2, 4, 6, 8, 9]), "{lines}");
        }
        let indented = "[\n  {\n    \"a\": {\n  \n  },\n  {\n    \"a\": 2\n  }\n]\n";
        assert_eq!(good(indented).len(), 1, "{:?}", pieces(indented.as_bytes(), false));
    }

    #[test]
    fn hostile_input_ends() {
        let deep = "[{\"a\":".repeat(200_000);
        assert!(good(&deep).is_empty());
        let many = "{\"a\":\n".repeat(50_000);
        assert!(good(&many).is_empty());
    }
}
