//! What stands in an annotation's parentheses: `key = value`, `key(value)` or `key` alone,
//! separated by commas.
//!
//! Which keys exist is a table per annotation; unknown and repeated ones are found here, so that no
//! annotation can forget to look.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token, parenthesized};

use super::hints;
use super::types::shown;
use crate::diagnostics::{Errors, quoted, similar};
use crate::hygiene::CratePath;

/// One argument that an annotation takes.
pub(crate) struct Accepted {
    pub(crate) name: &'static str,
    /// What to write, for messages.
    pub(crate) example: &'static str,
}

/// How an argument is written.
#[derive(Clone, Copy)]
enum Form {
    /// `key = value`.
    Value,
    /// `key(..)`.
    List,
    /// `key` alone.
    Word,
}

impl Accepted {
    fn form(&self) -> Form {
        if self.example.contains(" = ") {
            Form::Value
        } else if self.example.contains('(') {
            Form::List
        } else {
            Form::Word
        }
    }
}

/// The longest name, in bytes; the same bound as in the protocol.
const NAME_BYTES_MAX: usize = 128;

/// Reads all arguments; `take` reads the value of a known one, its key read already.
///
/// A mistake ends its own argument only: the others are read all the same. What was written, and what
/// misspelt arguments were meant to be, comes back: those are not missing.
pub(crate) fn parse(
    annotation: &str,
    accepted: &[Accepted],
    tokens: TokenStream,
    errors: &mut Errors,
    mut take: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> Vec<String> {
    let mut written = Vec::new();
    let parser = |input: ParseStream<'_>| {
        let mut seen = Vec::new();
        while !input.is_empty() {
            let before = errors.count();
            written.extend(meant(accepted, input));
            let read = one(annotation, accepted, input, errors, &mut seen, &mut take);
            errors.keep(read);
            if errors.count() == before && !input.is_empty() && !input.peek(Token![,]) {
                errors.push(input.error("expected `,` between two arguments"));
            }
            skip_to_comma(input)?;
        }
        Ok(())
    };
    let done = parser.parse2(tokens);
    errors.keep(done);
    written
}

/// Stands for an argument that was written under a name that says nothing.
pub(crate) const UNKNOWN: &str = "?";

/// What the next argument is or was probably meant to be.
fn meant(accepted: &[Accepted], input: ParseStream<'_>) -> Option<String> {
    let ahead = input.fork();
    let names = || accepted.iter().map(|known| known.name);
    if ahead.peek(LitStr) {
        return names().find(|name| *name == "name").map(str::to_owned);
    }
    let written = ahead.call(Ident::parse_any).ok()?.to_string();
    if names().any(|name| name == written) {
        return Some(written);
    }
    let known = hints::meant(&written, accepted).map(str::to_owned);
    known.or_else(|| names_something(&ahead).then(|| UNKNOWN.to_owned()))
}

/// Whether nothing or one word stands for a value.
fn names_something(ahead: ParseStream<'_>) -> bool {
    let ends = |ahead: ParseStream<'_>| ahead.is_empty() || ahead.peek(Token![,]);
    if ends(ahead) {
        return true;
    }
    let word = ahead
        .parse::<Token![=]>()
        .and_then(|_| ahead.parse::<Ident>());
    word.is_ok() && ends(ahead)
}

fn one(
    annotation: &str,
    accepted: &[Accepted],
    input: ParseStream<'_>,
    errors: &mut Errors,
    seen: &mut Vec<Ident>,
    take: &mut impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let list = || listed(annotation, accepted);
    if let (Ok(text), Some(_)) = (
        input.fork().parse::<LitStr>(),
        accepted.iter().find(|known| known.name == "name"),
    ) {
        let message = format!(
            "expected an argument: is it the name? name = {}; {}",
            text.to_token_stream(),
            list()
        );
        return Err(syn::Error::new(text.span(), message));
    }
    let key = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(error.span(), format!("expected an argument; {}", list()))
    })?;
    let Some(known) = accepted.iter().find(|known| key == known.name) else {
        let written = key.to_string();
        let said = hints::said(annotation, &written, accepted);
        return Err(syn::Error::new(
            key.span(),
            format!("unknown argument `{written}`{said} {}", list()),
        ));
    };
    if seen.contains(&key) {
        errors.at(&key, format!("`{key}` is given twice; keep one of the two"));
        // The rest of a repeated argument is not looked at.
        skip_to_comma_kept(input);
        return Ok(());
    }
    seen.push(key.clone());
    let opened = match known.form() {
        Form::Value => input.peek(Token![=]) && !input.peek(Token![==]),
        Form::List => input.peek(syn::token::Paren),
        Form::Word => input.is_empty() || input.peek(Token![,]),
    };
    if !opened || is_last_before_comma(input) {
        let message = match known.form() {
            Form::Word => format!("`{key}` takes no value: write it alone"),
            _ => format!("`{key}` is written `{}`", known.example),
        };
        return Err(syn::Error::new(key.span(), message));
    }
    take(&key, input)
}

/// `, did you mean that?`, or the mark that ends the sentence without it.
fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match similar(written, known) {
        Some(meant) => format!(", did you mean `{meant}`?"),
        None => ";".to_owned(),
    }
}

/// Whether nothing but one token stands before the next comma: a `key =` without value.
fn is_last_before_comma(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    if ahead.parse::<Option<Token![=]>>().ok().flatten().is_none() {
        return false;
    }
    ahead.is_empty() || ahead.peek(Token![,])
}

fn listed(annotation: &str, accepted: &[Accepted]) -> String {
    format!(
        "#[{annotation}] accepts {}",
        quoted(accepted.iter().map(|known| known.name))
    )
}

fn skip_to_comma_kept(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    skip_to_comma_kept(input);
    input.parse::<Option<Token![,]>>().map(|_| ())
}

/// `= EXPRESSION`.
pub(crate) fn expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    input.parse::<Token![=]>()?;
    input.parse().map(ungrouped)
}

/// The expression inside the invisible groups that `macro_rules` fragments arrive in.
pub(crate) fn ungrouped(expression: Expr) -> Expr {
    match expression {
        Expr::Group(group) if group.attrs.is_empty() => ungrouped(*group.expr),
        other => other,
    }
}

/// The text, if the expression is a string literal.
pub(crate) fn as_text(expression: &Expr) -> Option<&LitStr> {
    match expression {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            attrs,
        }) if attrs.is_empty() => Some(text),
        _ => None,
    }
}

/// Whether the expression is this bare word.
pub(crate) fn is_word(expression: &Expr, word: &str) -> bool {
    matches!(expression, Expr::Path(path) if path.qself.is_none() && path.path.is_ident(word))
}

/// `= "name"`, within the limits of names.
pub(crate) fn literal_name(key: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let value = expression(input)?;
    let Some(text) = as_text(&value) else {
        let message = format!("`{key}` takes a string literal: {key} = \"..\"");
        return Err(syn::Error::new_spanned(value, message));
    };
    check_name(text)?;
    Ok(text.clone())
}

/// `= ["name", ..]`, each within the limits of names.
pub(crate) fn literal_names(key: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let value = expression(input)?;
    let example = as_text(&value).map_or("\"..\"".to_owned(), |text| {
        text.to_token_stream().to_string()
    });
    let message = format!("`{key}` takes a list of string literals: {key} = [{example}]");
    let refuse = |tokens: &Expr| syn::Error::new_spanned(tokens, &message);
    let Expr::Array(list) = &value else {
        return Err(refuse(&value));
    };
    if list.elems.is_empty() {
        return Err(refuse(&value));
    }
    let names = list.elems.iter().map(|element| {
        let element = ungrouped(element.clone());
        let text = as_text(&element).ok_or_else(|| refuse(&element))?;
        check_name(text)?;
        Ok(text.clone())
    });
    names.collect()
}

/// A name as the protocol accepts it.
pub(crate) fn check_name(name: &LitStr) -> syn::Result<()> {
    let text = name.value();
    let why = if text.is_empty() {
        "a name must not be empty".to_owned()
    } else if text.len() > NAME_BYTES_MAX {
        format!(
            "a name has at most {NAME_BYTES_MAX} bytes, this one has {}",
            text.len()
        )
    } else if let Some(found) = text.chars().find(|c| c.is_control()) {
        format!("a name must not contain control characters; found {found:?}")
    } else {
        return Ok(());
    };
    Err(syn::Error::new(name.span(), why))
}

/// `= ::path::to::unanimous`.
pub(crate) fn crate_path(input: ParseStream<'_>) -> syn::Result<CratePath> {
    const WRITE: &str = "`crate` takes an absolute path to the crate `unanimous`: crate = ::renamed, \
                         crate = crate::renamed, or crate = $crate::renamed in a macro_rules macro";
    let equals = input.parse::<Token![=]>()?;
    let begin = input.fork();
    let Ok(path) = input.call(Path::parse_mod_style) else {
        let written: TokenTree = begin.parse()?;
        return Err(syn::Error::new(written.span(), WRITE));
    };
    let starts_at_a_crate = path
        .segments
        .first()
        .is_some_and(|first| first.ident == "crate" || first.ident == "$crate");
    if path.leading_colon.is_none() && !starts_at_a_crate {
        return Err(syn::Error::new_spanned(path, WRITE));
    }
    Ok(CratePath::new(equals, &path))
}

/// `(TOKENS)`. All of them are taken, as what is left over would be reported once more; `too_much` is
/// what is said of it.
pub(crate) fn list<T>(
    input: ParseStream<'_>,
    too_much: &str,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let content;
    parenthesized!(content in input);
    let value = read(&content);
    let left = content.parse::<TokenStream>()?.into_iter().next();
    match (value, left) {
        (Ok(_), Some(left)) => Err(syn::Error::new(left.span(), too_much)),
        (value, _) => value,
    }
}

/// `map_err = EXPRESSION`: what converts an error.
#[derive(Clone)]
pub(crate) struct Conversion {
    pub(crate) expression: Expr,
    /// Where its `=` stands: what it is given is reported there.
    pub(crate) equals: Span,
}

/// `= PATH` or `= CLOSURE`.
pub(crate) fn conversion(input: ParseStream<'_>) -> syn::Result<Conversion> {
    let equals = input.fork().parse::<Token![=]>()?.span;
    let value = expression(input)?;
    let Expr::Lit(literal) = &value else {
        return Ok(Conversion {
            expression: value,
            equals,
        });
    };
    let written = as_text(&value).and_then(|text| text.parse::<Path>().ok());
    let example = written.map_or_else(
        || "ShopError::transaction".to_owned(),
        |path| shown(path.to_token_stream()),
    );
    let message = format!(
        "`map_err` takes a function or a closure, not its name in quotes: map_err = {example}"
    );
    Err(syn::Error::new_spanned(literal, message))
}

/// `= word`, one of a few.
pub(crate) fn word<T: Copy>(
    key: &Ident,
    words: &[(&str, T)],
    input: ParseStream<'_>,
) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    let written = input.parse::<Word>()?;
    let accepted = quoted(words.iter().map(|(word, _)| word));
    let found = words.iter().find(|(word, _)| written.text == *word);
    match found {
        Some((word, _)) if written.in_quotes => {
            let message = format!("write it without quotes: {key} = {word}");
            Err(syn::Error::new_spanned(written.tokens, message))
        }
        Some((_, value)) if written.tokens.clone().into_iter().count() == 1 => Ok(*value),
        _ => {
            let text = snake_case(&written.text);
            let meant = did_you_mean(&text, words.iter().map(|(word, _)| *word));
            let message = format!(
                "unknown {key} `{}`{meant} accepted are {accepted}",
                written.text
            );
            Err(syn::Error::new_spanned(written.tokens, message))
        }
    }
}

/// `requires_new` of `RequiresNew` and `REQUIRES_NEW`.
fn snake_case(written: &str) -> String {
    let written = written.replace('-', "_");
    if !written.contains(char::is_lowercase) {
        return written.to_lowercase();
    }
    let mut text = String::new();
    for (at, letter) in written.char_indices() {
        if at > 0 && letter.is_uppercase() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// An identifier, a path that ends in it, or the literal that was written in its place.
struct Word {
    text: String,
    in_quotes: bool,
    tokens: TokenStream,
}

impl Parse for Word {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            return Ok(Self {
                text: text.value(),
                in_quotes: true,
                tokens: text.into_token_stream(),
            });
        }
        if let Ok(path) = input.fork().call(Path::parse_mod_style)
            && let Some(last) = path.segments.last().filter(|_| path.segments.len() > 1)
        {
            let text = last.ident.to_string();
            let tokens = input.call(Path::parse_mod_style)?.into_token_stream();
            return Ok(Self {
                text,
                in_quotes: false,
                tokens,
            });
        }
        let token: TokenTree = input.parse()?;
        let (mut text, mut tokens) = (token.to_string(), token.into_token_stream());
        // Hyphens are taken for underscores.
        while input.peek(Token![-]) && input.peek2(Ident::peek_any) {
            let (hyphen, word) = (input.parse::<Token![-]>()?, input.call(Ident::parse_any)?);
            text.push('-');
            text.push_str(&word.to_string());
            hyphen.to_tokens(&mut tokens);
            word.to_tokens(&mut tokens);
        }
        Ok(Self {
            text,
            in_quotes: false,
            tokens,
        })
    }
}
