//! Finds test functions in source text, in code that does not compile yet as well, and inside
//! macro calls such as `proptest! { .. }`, where a parser of the language sees only tokens.

use std::{iter::Peekable, str::Chars};

/// A function under a `#[test]` attribute of any kind.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct TestFn {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) ignored: bool,
}

/// The rules that a test's name starts with: `tc4_tc5_a_branch_..` gives TC4 and TC5.
pub(crate) fn rule_ids(test_name: &str) -> Vec<String> {
    test_name
        .split('_')
        .take_while(|word| is_rule_id(word))
        .map(str::to_uppercase)
        .collect()
}

fn is_rule_id(word: &str) -> bool {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    letters.len() < word.len() && matches!(letters, "e" | "n" | "op" | "rm" | "tc" | "tm")
}

/// All test functions of a source file.
pub(crate) fn test_fns(source: &str) -> Vec<TestFn> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let (mut is_test, mut ignored) = (false, false);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "#" if tokens.get(at + 1).is_some_and(|next| next.text == "[") => {
                let end = closing_bracket(&tokens, at + 1);
                let attribute = path(&tokens[at + 2..end]);
                is_test |= attribute.last() == Some(&"test");
                ignored |= attribute == ["ignore"];
                at = end;
            }
            "fn" => {
                if let Some(name) = tokens.get(at + 1).filter(|name| is_test && name.is_word()) {
                    found.push(TestFn {
                        name: name.text.clone(),
                        line: name.line,
                        ignored,
                    });
                }
                (is_test, ignored) = (false, false);
            }
            // What may stand between an attribute and its `fn`.
            "pub" | "async" | "const" | "unsafe" | "extern" | "(" | ")" | "crate" | "super" => {}
            _ => (is_test, ignored) = (false, false),
        }
        at += 1;
    }
    found
}

/// The index of the `]` that closes the `[` at `open`, or the end of the text.
fn closing_bracket(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "[" => depth += 1,
            "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len()
}

/// The words of the path that an attribute starts with: `tokio::test(..)` gives tokio, test.
fn path(attribute: &[Token]) -> Vec<&str> {
    attribute
        .iter()
        .take_while(|token| token.is_word() || token.text == ":")
        .filter(|token| token.is_word())
        .map(|token| token.text.as_str())
        .collect()
}

/// A word or a single sign; literals and comments leave none.
#[derive(Debug)]
struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(is_word_char)
    }
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tokens(source: &str) -> Vec<Token> {
    Lexer {
        rest: source.chars().peekable(),
        line: 1,
        tokens: Vec::new(),
    }
    .run()
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn run(mut self) -> Vec<Token> {
        while let Some(c) = self.next() {
            match c {
                '/' if self.rest.peek() == Some(&'/') => {
                    while self.next_if(|c| c != '\n').is_some() {}
                }
                '/' if self.rest.peek() == Some(&'*') => self.block_comment(),
                '"' => self.string(),
                '\'' => self.quote(),
                c if is_word_char(c) => self.word(c),
                c if c.is_whitespace() => {}
                c => self.push(c.to_string()),
            }
        }
        self.tokens
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next();
        if c == Some('\n') {
            self.line += 1;
        }
        c
    }

    fn next_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        if self.rest.peek().is_some_and(|c| wanted(*c)) {
            self.next()
        } else {
            None
        }
    }

    fn push(&mut self, text: String) {
        self.tokens.push(Token {
            text,
            line: self.line,
        });
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        let mut before = '/';
        while let Some(c) = self.next() {
            match (before, c) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    before = c;
                    continue;
                }
            }
            if depth == 0 {
                return;
            }
            // The two signs are used up: `/*/` opens and does not close.
            before = ' ';
        }
    }

    /// The rest of a string literal after its opening quote.
    fn string(&mut self) {
        while let Some(c) = self.next() {
            match c {
                '\\' => {
                    self.next();
                }
                '"' => return,
                _ => {}
            }
        }
    }

    /// The rest of a raw string literal after its `r`, or a raw identifier.
    fn raw(&mut self) {
        let mut hashes = 0_usize;
        while self.next_if(|c| c == '#').is_some() {
            hashes += 1;
        }
        if self.next_if(|c| c == '"').is_none() {
            return;
        }
        while let Some(c) = self.next() {
            if c == '"' && (0..hashes).all(|_| self.next_if(|c| c == '#').is_some()) {
                return;
            }
        }
    }

    /// After a single quote: a character, which is skipped, or a lifetime, whose name is a word.
    fn quote(&mut self) {
        match self.next() {
            Some('\\') => {
                self.next();
                while self.next_if(|c| c != '\'').is_some() {}
                self.next();
            }
            Some(c) if self.next_if(|c| c == '\'').is_none() && is_word_char(c) => self.word(c),
            _ => {}
        }
    }

    fn word(&mut self, first: char) {
        let mut word = String::from(first);
        while let Some(c) = self.next_if(is_word_char) {
            word.push(c);
        }
        match (word.as_str(), self.rest.peek()) {
            ("r" | "br" | "cr", Some('"' | '#')) => self.raw(),
            ("b" | "c", Some('"')) => {
                self.next();
                self.string();
            }
            ("b", Some('\'')) => {
                self.next();
                self.quote();
            }
            _ => self.push(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        test_fns(source).into_iter().map(|test| test.name).collect()
    }

    #[test]
    fn a_name_carries_the_rules_it_starts_with() {
        for (name, ids) in [
            ("tc6_commit_is_refused", &["TC6"][..]),
            ("tc4_tc5_a_late_branch", &["TC4", "TC5"]),
            ("rm10", &["RM10"]),
            ("n3_e1_op5_tm1_all_kinds", &["N3", "E1", "OP5", "TM1"]),
            // A rule in the middle is only a word of the sentence.
            ("commit_keeps_tc6", &[]),
            ("e2e_runs_whole", &[]),
            ("tc_has_no_number", &[]),
            ("xa3_is_no_kind", &[]),
            ("", &[]),
        ] {
            assert_eq!(rule_ids(name), ids, "{name}");
        }
    }

    #[test]
    fn every_kind_of_test_attribute_counts() {
        let source = "
            #[test] fn tc1_plain() {}
            #[tokio::test(flavor = \"multi_thread\")] async fn tc2_async() {}
            #[::core::prelude::v1::test]
            #[should_panic(expected = \"[\")]
            pub(crate) fn tc3_more_attributes() {}
            proptest! { #![x] #[test] fn tc4_in_a_macro(a in 0..3) {} }
        ";
        assert_eq!(
            names(source),
            [
                "tc1_plain",
                "tc2_async",
                "tc3_more_attributes",
                "tc4_in_a_macro"
            ]
        );
    }

    #[test]
    fn other_functions_are_no_tests() {
        let source = "
            #[cfg(test)] mod tests { fn tc1_helper() {} }
            #[test] struct X; fn tc2_after_something_else() {}
            #[test_case(1)] fn tc3_another_attribute() {}
            #[test] fn $name() {}
        ";
        assert_eq!(names(source), Vec::<String>::new());
    }

    #[test]
    fn comments_and_literals_hide_what_they_hold() {
        let source = r###"
            // #[test] fn tc1_a() {}
            /* /* */ #[test] fn tc2_b() {} /*/ */ */
            /// #[test] fn tc3_c() {}
            const A: &str = "\" #[test] fn tc4_d() {}";
            const B: &str = r##"" "# #[test] fn tc5_e() {}"##;
            const C: &[u8] = b"#[test] fn tc6_f() {}";
            const D: [char; 3] = ['"', '\'', '\u{22}'];
            fn lifetime<'a>(x: &'a str) -> u8 { b'"' }
            #[test] fn tc7_seen() {}
        "###;
        assert_eq!(names(source), ["tc7_seen"]);
    }

    #[test]
    fn a_test_knows_its_line_and_whether_it_is_ignored() {
        let source = "\n#[test]\n#[ignore = \"slow\"]\nfn a() {}\n#[test]\nfn b() {}\n";
        let expected = [
            TestFn {
                name: "a".into(),
                line: 4,
                ignored: true,
            },
            TestFn {
                name: "b".into(),
                line: 6,
                ignored: false,
            },
        ];
        assert_eq!(test_fns(source), expected);
    }

    #[test]
    fn unfinished_code_is_read_to_its_end() {
        for source in [
            "#[test",
            "#[test] fn",
            "\"",
            "/*",
            "'",
            "r#\"",
            "b'",
            "#[",
            "'\\",
        ] {
            assert_eq!(names(source), Vec::<String>::new(), "{source}");
        }
    }
}
