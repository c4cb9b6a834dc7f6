//! What a Sigma rule means, on the real engine: small rules, events, and whether the rule is to match each, by the
//! specification (2.1). The faults that were measured in other converters are cases of their own, marked `fault:`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use ruleferry_duckdb::{Engine, Value};
use ruleferry_engine::{Input, Status, convert_file, parse_values};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{engine, literal, options, quoted};

/// Name, the `detection` of the rule, events as JSON objects with whether the rule matches. Absent and null are one.
type Case = (&'static str, &'static str, &'static [(&'static str, bool)]);

const CASES: &[Case] = &[
    (
        "plain text, in any case (fault: `=` is case-sensitive)",
        "a: {f: aBc}\ncondition: a",
        &[
            (r#"{"f": "AbC"}"#, true),
            (r#"{"f": "abcd"}"#, false),
            (r#"{"f": " abc"}"#, false),
            (r#"{"f": ""}"#, false),
            ("{}", false),
        ],
    ),
    (
        "letters beyond ASCII, in any case",
        "a: {f: Ärger}\nb: {f|contains: É}\ncondition: a or b",
        &[(r#"{"f": "äRGER"}"#, true), (r#"{"f": "caf\u00e9"}"#, true), (r#"{"f": "arger"}"#, false)],
    ),
    (
        "a list is an or",
        "a: {f: [x, y]}\ncondition: a",
        &[(r#"{"f": "X"}"#, true), (r#"{"f": "y"}"#, true), (r#"{"f": "xy"}"#, false), ("{}", false)],
    ),
    (
        "the keys of a mapping are an and",
        "a: {f: x, g: y}\ncondition: a",
        &[(r#"{"f": "x", "g": "y"}"#, true), (r#"{"f": "x"}"#, false), (r#"{"g": "y"}"#, false)],
    ),
    (
        "a list of mappings is an or",
        "a: [{f: x, h: z}, {g: y}]\ncondition: a",
        &[
            (r#"{"f": "x", "h": "z"}"#, true),
            (r#"{"g": "y"}"#, true),
            (r#"{"f": "x"}"#, false),
            (r#"{"f": "x", "h": "q", "g": "y"}"#, true),
        ],
    ),
    (
        "null is absent, not empty (fault: isnull of a text, always false)",
        "a: {f: null}\ncondition: a",
        &[("{}", true), (r#"{"f": null}"#, true), (r#"{"f": ""}"#, false), (r#"{"f": "null"}"#, false)],
    ),
    (
        "empty is not absent",
        "a: {f: ''}\ncondition: a",
        &[(r#"{"f": ""}"#, true), ("{}", false), (r#"{"f": " "}"#, false)],
    ),
    (
        "null in a list",
        "a: {f: [null, '', x]}\ncondition: a",
        &[("{}", true), (r#"{"f": ""}"#, true), (r#"{"f": "X"}"#, true), (r#"{"f": "y"}"#, false)],
    ),
    (
        "not null",
        "a: {f: null}\ncondition: not a",
        &[("{}", false), (r#"{"f": ""}"#, true), (r#"{"f": "x"}"#, true)],
    ),
    (
        "not empty",
        "a: {f: ''}\ncondition: not a",
        &[("{}", true), (r#"{"f": ""}"#, false), (r#"{"f": "x"}"#, true)],
    ),
    (
        "fault: not over a missing field keeps the event",
        "a: {f: x}\ncondition: not a",
        &[("{}", true), (r#"{"f": "X"}"#, false), (r#"{"f": "y"}"#, true), (r#"{"f": ""}"#, true)],
    ),
    (
        "fault: not over missing fields, for every way of matching",
        "s: {g: '1'}\nf1: {f|contains: x}\nf2: {f|endswith: x}\nf3: {f|re: x}\nf4: {f|cidr: 10.0.0.0/8}\nf5: {f|gt: 5}\nf6: {f: [x, y]}\nf7: {f|cased: x}\nf8: {f: 'x*y'}\ncondition: s and not 1 of f*",
        &[
            (r#"{"g": "1"}"#, true),
            (r#"{"g": "1", "f": "x"}"#, false),
            (r#"{"g": "1", "f": "Q"}"#, true),
            (r#"{"g": "1", "f": "10.2.3.4"}"#, false),
            (r#"{"g": "1", "f": "7"}"#, false),
            (r#"{"g": "1", "f": "5"}"#, true),
        ],
    ),
    (
        "fault: not (a or b) is neither",
        "a: {f: x}\nb: {g: y}\ncondition: not (a or b)",
        &[
            ("{}", true),
            (r#"{"f": "x"}"#, false),
            (r#"{"g": "y"}"#, false),
            (r#"{"f": "x", "g": "y"}"#, false),
            (r#"{"f": "q", "g": "q"}"#, true),
        ],
    ),
    (
        "not (a and b)",
        "a: {f: x}\nb: {g: y}\ncondition: not (a and b)",
        &[("{}", true), (r#"{"f": "x"}"#, true), (r#"{"g": "y"}"#, true), (r#"{"f": "x", "g": "y"}"#, false)],
    ),
    (
        "not over a selection of several keys",
        "s: {k: '1'}\na: {f: x, g|contains: y}\ncondition: s and not a",
        &[
            (r#"{"k": "1"}"#, true),
            (r#"{"k": "1", "f": "x"}"#, true),
            (r#"{"k": "1", "f": "x", "g": "ayb"}"#, false),
            (r#"{"k": "1", "g": "y"}"#, true),
        ],
    ),
    (
        "not twice",
        "a: {f: x}\nb: {g: y}\ncondition: not (not a and b)",
        &[("{}", true), (r#"{"g": "y"}"#, false), (r#"{"f": "x", "g": "y"}"#, true), (r#"{"f": "x"}"#, true)],
    ),
    (
        "and binds tighter than or",
        "a: {f: x}\nb: {g: y}\nc: {h: z}\ncondition: a or b and c",
        &[
            (r#"{"f": "x"}"#, true),
            (r#"{"g": "y"}"#, false),
            (r#"{"g": "y", "h": "z"}"#, true),
            (r#"{"h": "z"}"#, false),
        ],
    ),
    (
        "fault: parentheses are kept",
        "a: {f: x}\nb: {g: y}\nc: {h: z}\nd: {i: w}\ncondition: (a or b) and (c or d)",
        &[
            (r#"{"f": "x"}"#, false),
            (r#"{"f": "x", "h": "z"}"#, true),
            (r#"{"g": "y", "i": "w"}"#, true),
            (r#"{"h": "z", "i": "w"}"#, false),
            (r#"{"f": "x", "g": "y"}"#, false),
        ],
    ),
    (
        "not binds tighter than and",
        "a: {f: x}\nb: {g: y}\ncondition: not a and b",
        &[(r#"{"g": "y"}"#, true), (r#"{"f": "x", "g": "y"}"#, false), ("{}", false)],
    ),
    (
        "several conditions are an or",
        "a: {f: x}\nb: {g: y}\ncondition:\n  - a\n  - b",
        &[(r#"{"f": "x"}"#, true), (r#"{"g": "y"}"#, true), ("{}", false)],
    ),
    (
        "contains, startswith, endswith in any case",
        "a: {f|contains: Bc, g|startswith: aB, h|endswith: yZ}\ncondition: a",
        &[
            (r#"{"f": "ABCD", "g": "ABX", "h": "xyz"}"#, true),
            (r#"{"f": "abd", "g": "abx", "h": "xyz"}"#, false),
            (r#"{"f": "bc", "g": "xab", "h": "xyz"}"#, false),
            (r#"{"f": "bc", "g": "ab", "h": "xyzz"}"#, false),
        ],
    ),
    (
        "fault: a list of endswith keeps its anchor",
        r"a: {Image|endswith: ['\cmd.exe', '\powershell.exe']}
condition: a",
        &[
            (r#"{"Image": "C:\\Windows\\CMD.EXE"}"#, true),
            (r#"{"Image": "C:\\x\\powershell.exe"}"#, true),
            (r#"{"Image": "C:\\x\\cmd.exe.bak"}"#, false),
            (r#"{"Image": "C:\\x\\mycmd.exe"}"#, false),
            (r#"{"Image": "cmd.exe"}"#, false),
        ],
    ),
    (
        "contains all",
        "a: {f|contains|all: [a, b]}\ncondition: a",
        &[(r#"{"f": "xBxA"}"#, true), (r#"{"f": "aa"}"#, false), ("{}", false)],
    ),
    (
        "characters that mean something in LIKE mean nothing in Sigma",
        "a: {f|contains: '1%_x'}\ncondition: a",
        &[(r#"{"f": "a1%_xb"}"#, true), (r#"{"f": "a1zzzx"}"#, false), (r#"{"f": "1%ax"}"#, false)],
    ),
    (
        "a text without wildcards is compared as it is",
        "a: {f: '50%'}\nb: {f: a_b}\ncondition: a or b",
        &[
            (r#"{"f": "50%"}"#, true),
            (r#"{"f": "500"}"#, false),
            (r#"{"f": "A_B"}"#, true),
            (r#"{"f": "axb"}"#, false),
        ],
    ),
    (
        "wildcards",
        "a: {f: 'a*b?c'}\ncondition: a",
        &[
            (r#"{"f": "AxxBxC"}"#, true),
            (r#"{"f": "abxc"}"#, true),
            (r#"{"f": "abc"}"#, false),
            (r#"{"f": "abxcd"}"#, false),
            (r#"{"f": "xabxc"}"#, false),
        ],
    ),
    (
        "fault: A*B keeps the order",
        "a: {f: '*one*two*'}\ncondition: a",
        &[
            (r#"{"f": "x one x two x"}"#, true),
            (r#"{"f": "x two x one x"}"#, false),
            (r#"{"f": "onetwo"}"#, true),
        ],
    ),
    (
        "wildcards within contains",
        "a: {f|contains: 'a?c*e'}\ncondition: a",
        &[(r#"{"f": "--abcde--"}"#, true), (r#"{"f": "--ace--"}"#, false)],
    ),
    (
        "wildcards pass line breaks",
        "a: {f: 'a*b'}\nb: {g|contains: 'a?b'}\ncondition: a or b",
        &[(r#"{"f": "a\n\nb"}"#, true), (r#"{"g": "a\nb"}"#, true), (r#"{"f": "a\n"}"#, false)],
    ),
    ("a star alone wants a value", "a: {f: '*'}\ncondition: a", &[(r#"{"f": "x"}"#, true), ("{}", false)]),
    ("not a star alone", "a: {f: '*'}\ncondition: not a", &[(r#"{"f": "x"}"#, false), ("{}", true)]),
    (
        r"fault: an escaped star is a star",
        r"a: {f: 'a\*b'}
condition: a",
        &[(r#"{"f": "A*B"}"#, true), (r#"{"f": "axb"}"#, false), (r#"{"f": "a\\*b"}"#, false)],
    ),
    (
        "an escaped question mark",
        r"a: {f|contains: 'a\?b'}
condition: a",
        &[(r#"{"f": "xa?b"}"#, true), (r#"{"f": "xaxb"}"#, false)],
    ),
    (
        "an escaped backslash before a star",
        r"a: {f: 'C:\Temp\\*'}
condition: a",
        &[
            (r#"{"f": "c:\\temp\\x.exe"}"#, true),
            (r#"{"f": "c:\\temp\\"}"#, true),
            (r#"{"f": "c:\\temp*"}"#, false),
            (r#"{"f": "c:\\tempx"}"#, false),
        ],
    ),
    (
        "one or two backslashes are one",
        r"a: {f: 'a\b'}
b: {g: 'a\\b'}
condition: a or b",
        &[
            (r#"{"f": "a\\b"}"#, true),
            (r#"{"g": "a\\b"}"#, true),
            (r#"{"f": "ab"}"#, false),
            (r#"{"g": "a\\\\b"}"#, false),
            (r#"{"f": "a\bb"}"#, false),
        ],
    ),
    (
        "four backslashes are two",
        r"a: {f|startswith: '\\\\srv\'}
condition: a",
        &[(r#"{"f": "\\\\SRV\\share"}"#, true), (r#"{"f": "\\srv\\share"}"#, false)],
    ),
    (
        "quotes and comment marks are text",
        "a: {f: \"it's\"}\nb: {f|contains: '\"; -- x'}\nc: {f: \"'); DROP TABLE events; --\"}\ncondition: a or b or c",
        &[
            (r#"{"f": "IT'S"}"#, true),
            (r#"{"f": "q\"; -- x"}"#, true),
            (r#"{"f": "its"}"#, false),
            (r#"{"f": "'); DROP TABLE events; --"}"#, true),
        ],
    ),
    (
        "re is case-sensitive and finds parts",
        "a: {f|re: 'b[0-9]+c'}\ncondition: a",
        &[
            (r#"{"f": "ab12cd"}"#, true),
            (r#"{"f": "aB12Cd"}"#, false),
            (r#"{"f": "abcd"}"#, false),
            ("{}", false),
        ],
    ),
    (
        "re with anchors and backslashes",
        r"a: {f|re: '^\\\\[a-z]+\\\w+$'}
condition: a",
        &[
            (r#"{"f": "\\\\srv\\x1"}"#, true),
            (r#"{"f": "x\\\\srv\\x1"}"#, false),
            (r#"{"f": "\\srv\\x1"}"#, false),
        ],
    ),
    (
        "re in any case",
        "a: {f|re|i: '^ab.c$'}\ncondition: a",
        &[(r#"{"f": "ABxC"}"#, true), (r#"{"f": "abxcd"}"#, false)],
    ),
    (
        "re over lines",
        "a: {f|re|m: '^b$'}\nb: {g|re|s: 'a.b'}\nc: {h|re: 'a.b'}\nd: {i|re: '^b$'}\ncondition: 1 of them",
        &[
            (r#"{"f": "a\nb\nc"}"#, true),
            (r#"{"g": "a\nb"}"#, true),
            (r#"{"h": "a\nb"}"#, false),
            (r#"{"h": "a-b"}"#, true),
            (r#"{"i": "a\nb\nc"}"#, false),
        ],
    ),
    (
        "a list of re, all of them",
        "a: {f|re|all: ['^a', 'z$']}\ncondition: a",
        &[(r#"{"f": "a-z"}"#, true), (r#"{"f": "a-y"}"#, false)],
    ),
    (
        "cased",
        "a: {f|cased: aB}\nb: {g|contains|cased: aB}\nc: {h|startswith|cased: aB}\nd: {i|cased: 'a*B'}\ncondition: 1 of them",
        &[
            (r#"{"f": "aB"}"#, true),
            (r#"{"f": "ab"}"#, false),
            (r#"{"g": "xaBx"}"#, true),
            (r#"{"g": "xABx"}"#, false),
            (r#"{"h": "aBx"}"#, true),
            (r#"{"h": "abx"}"#, false),
            (r#"{"i": "axxB"}"#, true),
            (r#"{"i": "axxb"}"#, false),
        ],
    ),
    (
        "cidr",
        "a: {f|cidr: [10.0.0.0/8, 192.168.4.0/23, '2001:db8::/32']}\ncondition: a",
        &[
            (r#"{"f": "10.255.0.1"}"#, true),
            (r#"{"f": "11.0.0.1"}"#, false),
            (r#"{"f": "192.168.5.255"}"#, true),
            (r#"{"f": "192.168.6.0"}"#, false),
            (r#"{"f": "2001:db8:1::1"}"#, true),
            (r#"{"f": "2001:db9::1"}"#, false),
            (r#"{"f": "2001:0DB8:0000::1"}"#, true),
            (r#"{"f": "10.x"}"#, false),
            (r#"{"f": "::ffff:10.0.0.1"}"#, false),
            (r#"{"f": ""}"#, false),
            ("{}", false),
            (r#"{"f": "110.0.0.1"}"#, false),
        ],
    ),
    (
        "cidr of one address and of all",
        "a: {f|cidr: 192.0.2.1/32}\nb: {g|cidr: 0.0.0.0/0}\ncondition: a or b",
        &[
            (r#"{"f": "192.0.2.1"}"#, true),
            (r#"{"f": "192.0.2.11"}"#, false),
            (r#"{"g": "8.8.8.8"}"#, true),
            (r#"{"g": "host"}"#, false),
        ],
    ),
    (
        "windash: all dashes, and only where one stands before a letter",
        "a: {f|contains|windash: ' -enc'}\ncondition: a",
        &[
            (r#"{"f": "p -ENC x"}"#, true),
            (r#"{"f": "p /enc x"}"#, true),
            (r#"{"f": "p \u2013enc"}"#, true),
            (r#"{"f": "p \u2014enc"}"#, true),
            (r#"{"f": "p \u2015enc"}"#, true),
            (r#"{"f": "p enc"}"#, false),
        ],
    ),
    (
        "fault: windash keeps its parentheses",
        "a: {f|contains|all|windash: [' -a', ' -b'], g: '1'}\ncondition: a",
        &[
            (r#"{"f": "x /a -b", "g": "1"}"#, true),
            (r#"{"f": "x /a /a", "g": "1"}"#, false),
            (r#"{"f": "x /a -b", "g": "2"}"#, false),
            (r#"{"f": "x -b"}"#, false),
        ],
    ),
    (
        "base64",
        "a: {f|base64|contains: foobar}\ncondition: a",
        &[(r#"{"f": "x Zm9vYmFy x"}"#, true), (r#"{"f": "foobar"}"#, false)],
    ),
    (
        "base64offset, in all three places",
        "a: {f|base64offset|contains: foobar}\ncondition: a",
        &[
            (r#"{"f": "Zm9vYmFyIGJheg=="}"#, true),
            (r#"{"f": "eGZvb2JhciBiYXo="}"#, true),
            (r#"{"f": "eHlmb29iYXIgYmF6"}"#, true),
            (r#"{"f": "foobar"}"#, false),
            ("{}", false),
        ],
    ),
    (
        "utf16le and base64offset",
        "a: {f|utf16le|base64offset|contains: 'http://'}\nb: {g|wide|base64offset|contains: 'http://'}\ncondition: a or b",
        &[
            (r#"{"f": "aAB0AHQAcAA6AC8ALwBhAA=="}"#, true),
            (r#"{"f": "eABoAHQAdABwADoALwAvAGEA"}"#, true),
            (r#"{"g": "eAB5AGgAdAB0AHAAOgAvAC8AYQA="}"#, true),
            (r#"{"f": "http://"}"#, false),
        ],
    ),
    (
        "numbers are compared whole (fault: ports as an unanchored regex)",
        "a: {port: [888, 999]}\ncondition: a",
        &[
            (r#"{"port": "888"}"#, true),
            (r#"{"port": "999"}"#, true),
            (r#"{"port": "8880"}"#, false),
            (r#"{"port": "1888"}"#, false),
            ("{}", false),
        ],
    ),
    (
        "fault: a number keeps its zeros",
        "a: {klid|contains: 00000429}\nb: {f: 0010}\ncondition: a or b",
        &[(r#"{"klid": "x00000429"}"#, true), (r#"{"klid": "x429"}"#, false), (r#"{"f": "0010"}"#, true)],
    ),
    (
        "gt, gte, lt, lte compare numbers, not text",
        "a: {f|gt: 9}\nb: {g|gte: 10}\nc: {h|lt: 10}\nd: {i|lte: 1.5}\ncondition: 1 of them",
        &[
            (r#"{"f": "10"}"#, true),
            (r#"{"f": "9"}"#, false),
            (r#"{"f": "abc"}"#, false),
            (r#"{"g": "10"}"#, true),
            (r#"{"g": "9"}"#, false),
            (r#"{"h": "9"}"#, true),
            (r#"{"h": "100"}"#, false),
            (r#"{"h": ""}"#, false),
            (r#"{"i": "1.5"}"#, true),
            (r#"{"i": "1.6"}"#, false),
            ("{}", false),
        ],
    ),
    (
        "exists",
        "a: {f|exists: true, g|exists: false}\ncondition: a",
        &[
            (r#"{"f": "x"}"#, true),
            (r#"{"f": ""}"#, true),
            ("{}", false),
            (r#"{"f": "x", "g": "y"}"#, false),
            (r#"{"f": "x", "g": ""}"#, false),
        ],
    ),
    ("not exists", "a: {f|exists: true}\ncondition: not a", &[("{}", true), (r#"{"f": ""}"#, false)]),
    (
        "fieldref",
        "a: {f|fieldref: g}\ncondition: a",
        &[
            (r#"{"f": "x", "g": "x"}"#, true),
            (r#"{"f": "x", "g": "y"}"#, false),
            (r#"{"f": "x"}"#, false),
            ("{}", false),
            (r#"{"f": ""}"#, false),
            (r#"{"g": ""}"#, false),
            (r#"{"f": "", "g": ""}"#, true),
        ],
    ),
    (
        "not fieldref",
        "a: {f|fieldref: g}\ncondition: not a",
        &[
            (r#"{"f": "x", "g": "x"}"#, false),
            (r#"{"f": "x", "g": "y"}"#, true),
            (r#"{"f": "x"}"#, true),
            ("{}", true),
            (r#"{"f": ""}"#, true),
        ],
    ),
    (
        "not fieldref with contains",
        "a: {f|fieldref|contains: g}\ncondition: not a",
        &[
            (r#"{"f": "xyz", "g": "Y"}"#, false),
            (r#"{"f": "xyz"}"#, true),
            (r#"{"g": "y"}"#, true),
            (r#"{"f": "xyz", "g": "q"}"#, true),
        ],
    ),
    (
        "fieldref with startswith",
        "a: {f|fieldref|startswith: g}\ncondition: a",
        &[
            (r#"{"f": "xyz", "g": "xy"}"#, true),
            (r#"{"f": "xyz", "g": "yz"}"#, false),
            (r#"{"f": "xyz"}"#, false),
            (r#"{"f": "x%z", "g": "x%"}"#, true),
            (r#"{"f": "xyz", "g": "%z"}"#, false),
        ],
    ),
    ("neq", "a: {f|neq: x}\ncondition: a", &[(r#"{"f": "y"}"#, true), (r#"{"f": "X"}"#, false)]),
    (
        "expand takes its values from outside",
        "a: {u|expand: '%admins%'}\nb: {f|expand|contains: 'x-%admins%-y'}\ncondition: a or b",
        &[
            (r#"{"u": "ROOT"}"#, true),
            (r#"{"u": "adm"}"#, true),
            (r#"{"u": "%admins%"}"#, false),
            (r#"{"f": "ax-adm-yb"}"#, true),
            (r#"{"f": "adm"}"#, false),
        ],
    ),
    (
        "keywords search every value (fault: bare strings)",
        "k: [evil, 'b*d']\ncondition: k",
        &[
            (r#"{"f": "some EVIL thing"}"#, true),
            (r#"{"g": "a bad one"}"#, true),
            (r#"{"g": "good"}"#, false),
            ("{}", false),
        ],
    ),
    (
        "all keywords, in any field",
        "k: {'|all': [one, two]}\ncondition: k",
        &[(r#"{"f": "one", "g": "TWO"}"#, true), (r#"{"f": "one two"}"#, true), (r#"{"f": "one"}"#, false)],
    ),
    (
        "not keywords",
        "s: {f: x}\nk: [evil]\ncondition: s and not k",
        &[(r#"{"f": "x"}"#, true), (r#"{"f": "x", "g": "evil"}"#, false)],
    ),
    (
        "1 of, all of, them",
        "s1: {f: x}\ns2: {g: y}\nt: {h: z}\ncondition: (1 of s* and t) or all of them",
        &[
            (r#"{"f": "x", "h": "z"}"#, true),
            (r#"{"g": "y", "h": "z"}"#, true),
            (r#"{"f": "x", "g": "y"}"#, false),
            (r#"{"h": "z"}"#, false),
        ],
    ),
    (
        "all of a pattern",
        "s1: {f: x}\ns2: {g: y}\nt: {h: z}\ncondition: all of s*",
        &[(r#"{"f": "x", "g": "y"}"#, true), (r#"{"f": "x", "h": "z"}"#, false)],
    ),
    (
        "fault: not 1 of filters keeps its not",
        "s: {f: x}\nfilter_a: {g: y}\nfilter_b: {h|contains: z}\ncondition: s and not 1 of filter_*",
        &[
            (r#"{"f": "x"}"#, true),
            (r#"{"f": "x", "g": "Y"}"#, false),
            (r#"{"f": "x", "h": "azb"}"#, false),
            (r#"{"f": "x", "g": "q", "h": "q"}"#, true),
        ],
    ),
    (
        "not all of filters",
        "s: {f: x}\nfilter_a: {g: y}\nfilter_b: {h: z}\ncondition: s and not all of filter_*",
        &[
            (r#"{"f": "x", "g": "y"}"#, true),
            (r#"{"f": "x", "g": "y", "h": "z"}"#, false),
            (r#"{"f": "x"}"#, true),
        ],
    ),
    (
        "truth values are text",
        "a: {f: true}\ncondition: a",
        &[(r#"{"f": "True"}"#, true), (r#"{"f": "false"}"#, false), ("{}", false)],
    ),
    (
        "names of fields with dots, blanks and quotes",
        "a: {a.b: x, 'c d': y, 'e\"f': z}\ncondition: a",
        &[(r#"{"a.b": "x", "c d": "y", "e\"f": "z"}"#, true), (r#"{"a.b": "x", "c d": "y"}"#, false)],
    ),
    (
        "names of fields that SQL has a word for",
        "a: {select: x, order: y, user: z}\ncondition: a",
        &[
            (r#"{"select": "x", "order": "y", "user": "z"}"#, true),
            (r#"{"select": "x", "order": "y"}"#, false),
        ],
    ),
    (
        "parts of a time",
        "a: {t|hour: 13, t|minute: 45, t|day: 20, t|month: 3, t|year: 2025}\ncondition: a",
        &[
            (r#"{"t": "2025-03-20T13:45:59Z"}"#, true),
            (r#"{"t": "2025-03-20T14:45:00Z"}"#, false),
            (r#"{"t": "then"}"#, false),
            ("{}", false),
        ],
    ),
];

/// Rules that are not emitted: the reason is told, and nothing is guessed.
const REFUSED: &[(&str, &str)] = &[
    ("look-around, which RE2 has not", "a: {f|re: 'a(?=b)'}\ncondition: a"),
    (
        "a back reference",
        r"a: {f|re: '(a)\1'}
condition: a",
    ),
    ("the count of old rules", "a: {f: x}\ncondition: a | count() by g > 5"),
    ("a placeholder without values", "a: {u|expand: '%nobody%'}\ncondition: a"),
];

fn rule(detection: &str) -> String {
    let detection: String = detection.lines().map(|l| format!("  {l}\n")).collect();
    format!("title: t\nlogsource: {{service: events}}\ndetection:\n{detection}")
}

/// The record of a rule.
fn emitted(name: &str, detection: &str) -> ruleferry_engine::ConvertRecord {
    // The tests of a program run side by side: a folder for each call.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("ruleferry-sigma-{}-{n}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("rule.yml");
    std::fs::write(&path, rule(detection)).unwrap();
    let input = Input { path: path.clone(), shown: name.into(), relative: "rule.yml".into(), walked: false };
    let mut options = options(None);
    options.sigma.values = parse_values("admins: [root, adm]").unwrap();
    let record = convert_file(&input, Path::new("rule"), &options).records.remove(0);
    std::fs::remove_dir_all(folder).unwrap();
    record
}

/// The numbers of the events that the rule matches.
fn run(
    engine: &Engine,
    name: &str,
    detection: &str,
    events: &[Map<String, Json>],
) -> Result<BTreeSet<usize>, String> {
    let record = emitted(name, detection);
    let script = support::script(&record)?;
    let mut columns: BTreeSet<&str> = events.iter().flat_map(|e| e.keys().map(String::as_str)).collect();
    for need in &record.needs {
        if need.name != "events" {
            return Err(format!("reads `{}`", need.name));
        }
        columns.extend(need.columns.keys().map(|c| c.as_str()));
    }
    columns.insert("_raw");
    let list: Vec<String> = columns.iter().map(|c| format!("{} VARCHAR", quoted(c))).collect();
    let mut setup = format!("CREATE OR REPLACE TABLE events (n_ INTEGER, {});\n", list.join(", "));
    for (n, event) in events.iter().enumerate() {
        let text = |v: &Json| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        let raw: Vec<String> = event.values().filter(|v| !v.is_null()).map(text).collect();
        let value = |c: &&str| match event.get(*c) {
            _ if *c == "_raw" => literal(&raw.join("\n")),
            None | Some(Json::Null) => "NULL".to_owned(),
            Some(v) => literal(&text(v)),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        setup.push_str(&format!("INSERT INTO events VALUES ({n}, {});\n", values.join(", ")));
    }
    let engine = engine.reconnect().map_err(|e| e.to_string())?;
    engine.execute(&setup).map_err(|e| format!("{e}\n{setup}"))?;
    let table = engine.query(script).map_err(|e| format!("{e}\n{script}"))?;
    let found = table.column("n_").ok_or("the number of the event is gone")?;
    Ok(found.filter_map(|v| if let Value::Int(n) = v { usize::try_from(*n).ok() } else { None }).collect())
}

#[test]
fn rules_match_the_events_that_the_specification_says() {
    let engine = engine();
    let mut faults = Vec::new();
    let mut checked = 0;
    for (name, detection, events) in CASES {
        let parsed: Vec<Map<String, Json>> =
            events.iter().map(|(e, _)| serde_json::from_str(e).unwrap()).collect();
        match run(&engine, name, detection, &parsed) {
            Err(why) => faults.push(format!("{name}: {why}")),
            Ok(found) => {
                for (n, (event, wanted)) in events.iter().enumerate() {
                    checked += 1;
                    if found.contains(&n) != *wanted {
                        let word = if *wanted { "missed" } else { "matched" };
                        faults.push(format!("{name}: {word} {event}"));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults in {checked} checks\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn what_cannot_be_said_is_refused() {
    for (name, detection) in REFUSED {
        let record = emitted(name, detection);
        assert_eq!(record.status, Status::Refused, "{name}: {:?}", record.files);
        assert!(record.files.is_empty() && !record.diagnostics.is_empty(), "{name}");
    }
}
