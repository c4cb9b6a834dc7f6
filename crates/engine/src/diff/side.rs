//! One side of a comparison: a file, a folder, a git revision of either, or standard input.

use super::git::Revision;
use crate::identify::{Identified, identify};
use crate::input::{Input, MAX_FILE, WalkError, is_rule_name, walk};
use crate::language::Language;
use crate::run::{for_each, guarded};
use crate::source::{self, SourceRule};
use ruleferry_diag::{Diagnostic, Span, codes};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of one side.
#[derive(Debug)]
pub struct Side {
    files: Vec<SideFile>,
    /// It was given as a folder.
    pub folder: bool,
    /// What could not be looked at.
    pub errors: Vec<String>,
}

#[derive(Debug)]
struct SideFile {
    input: Input,
    revision: Option<(Revision, String)>,
}

/// A file that was read: its rules, or why there are none.
#[derive(Debug)]
pub(crate) struct ReadFile {
    pub shown: String,
    pub relative: String,
    pub text: Arc<str>,
    pub language: Option<Language>,
    /// In the file.
    pub rules: Result<Vec<SourceRule>, Vec<Diagnostic>>,
}

impl Side {
    /// Finds the files of an argument of the command line.
    pub fn open(argument: &Path) -> Result<Self, String> {
        let text = argument.to_string_lossy();
        if let Some(revision) = Revision::parse(&text) {
            return Self::at_revision(&text, revision);
        }
        let (inputs, errors) = walk(&[argument.to_path_buf()]);
        if let Some(WalkError::Missing(path)) = errors.first() {
            return Err(format!("`{path}` does not exist"));
        }
        let files = inputs.into_iter().map(|input| SideFile { input, revision: None }).collect();
        let errors = errors.iter().map(ToString::to_string).collect();
        Ok(Self { files, folder: argument.is_dir(), errors })
    }

    fn at_revision(argument: &str, revision: Revision) -> Result<Self, String> {
        let names = revision.files().map_err(|e| format!("`{argument}`: {e}"))?;
        let folder = names.first().is_none_or(|n| !n.is_empty());
        let wanted = |name: &String| !folder || is_rule_name(Path::new(name));
        let file = |name: String| {
            let path = if folder { PathBuf::from(&name) } else { PathBuf::from(revision.file_name()) };
            let shown = revision.shown(argument, &name);
            let input = Input { relative: path.clone(), path, shown, walked: folder };
            SideFile { input, revision: Some((revision.clone(), name)) }
        };
        let mut files: Vec<SideFile> = names.into_iter().filter(wanted).map(file).collect();
        files.sort_by(|x, y| x.input.relative.cmp(&y.input.relative));
        Ok(Self { files, folder, errors: Vec::new() })
    }

    /// Reads the files; those of a folder that hold no rule are left out.
    pub(crate) fn read(&self, from: Option<Language>) -> std::io::Result<Vec<ReadFile>> {
        let mut files = Vec::with_capacity(self.files.len());
        for_each(
            &self.files,
            |_, file| file.read(from),
            |_, file| {
                files.extend(file);
                Ok(())
            },
        )?;
        Ok(files)
    }
}

impl SideFile {
    fn text(&self) -> Result<String, Diagnostic> {
        let Some((revision, name)) = &self.revision else { return self.input.read() };
        let fault = |message: String| Diagnostic::error(codes::CANNOT_READ, Span::default(), message);
        let bytes = revision.read(name).map_err(fault)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(fault("the file is larger than any rule".into()));
        }
        String::from_utf8(bytes).map_err(|_| {
            Diagnostic::error(codes::NOT_UTF8, Span::default(), "the file is not UTF-8")
                .with_help("save the file as UTF-8")
        })
    }

    fn read(&self, from: Option<Language>) -> Option<ReadFile> {
        let mut read = ReadFile {
            shown: self.input.shown.clone(),
            relative: self.input.relative.to_string_lossy().replace('\\', "/"),
            text: Arc::from(""),
            language: None,
            rules: Ok(Vec::new()),
        };
        let text = match guarded(|| self.text()).flatten() {
            Ok(text) => text,
            Err(fault) => {
                read.rules = Err(vec![fault]);
                return Some(read);
            }
        };
        match identify(&self.input, &text, from) {
            Identified::NoRules => return None,
            Identified::Unknown(found) => read.rules = Err(found),
            Identified::Rules(language, layout) => {
                read.language = Some(language);
                read.rules =
                    guarded(|| source::read(&text, language, layout)).unwrap_or_else(|d| Err(vec![d]));
                if matches!(&read.rules, Ok(rules) if rules.is_empty()) {
                    read.rules = Err(vec![source::no_rule(language)]);
                }
            }
        }
        read.text = text.into();
        Some(read)
    }
}
