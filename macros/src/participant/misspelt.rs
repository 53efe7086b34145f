//! Attributes of an impl block that are meant to be ours and cannot be used as they stand: they are
//! reported, and then read as what they were meant to be, so that nothing else is.

use proc_macro2::Ident;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Path, Token};

use crate::diagnostics::{Errors, distance};
use crate::syntax::impl_block::{ImplBlock, Item};
use crate::two_phase_action::is_ours;

const OURS: &str = "two_phase_action";
/// How many letters may be wrong.
const WRONG_MAX: usize = 3;

/// Reports and mends them.
pub(super) fn mend(block: &mut ImplBlock, errors: &mut Errors) {
    block.header.attrs.retain(|attr| {
        let second = last(attr.path()).is_some_and(|last| last == "participant");
        if second {
            let message = "this impl block is a participant already; keep one of the two";
            errors.at(attr.path(), message);
        }
        !second
    });
    if block.header.trait_.is_none() {
        block.header.attrs.retain(|attr| {
            let is_needless = last(attr.path()).is_some_and(|last| last == "async_trait");
            if is_needless {
                let message = "#[async_trait] is for impls of traits: remove it, the methods of a type \
                               are async by themselves";
                errors.at(attr.path(), message);
            }
            !is_needless
        });
    }
    for item in &mut block.items {
        if let Item::Method(method) = item {
            for attr in method.attrs.iter_mut().filter(|attr| !is_ours(attr)) {
                mend_action(attr, errors);
            }
        }
    }
}

fn mend_action(attr: &mut Attribute, errors: &mut Errors) {
    if attr.path().is_ident("cfg_attr") {
        let metas = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        let metas = metas.into_iter().flatten();
        let mut ours = metas.filter(|meta| last(meta.path()).is_some_and(|last| last == OURS));
        if let Some(meta) = ours.next() {
            let message = "#[participant] does not see what `cfg_attr` adds: write \
                           #[two_phase_action(..)] itself, and `#[cfg(..)]` on the whole method if \
                           it depends on a condition";
            errors.at(meta.path(), message);
            attr.meta = meta;
        }
        return;
    }
    let path = match &mut attr.meta {
        Meta::Path(path) => path,
        Meta::List(list) => &mut list.path,
        Meta::NameValue(pair) => &mut pair.path,
    };
    let Some(written) = path.segments.last_mut().map(|last| &mut last.ident) else {
        return;
    };
    if distance(&written.to_string(), OURS) <= WRONG_MAX {
        errors.at(&*written, format!("did you mean `#[{OURS}]`?"));
        *written = Ident::new(OURS, written.span());
    }
}

fn last(path: &Path) -> Option<&Ident> {
    path.segments.last().map(|last| &last.ident)
}
