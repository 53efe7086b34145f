//! Which of an action's values each parameter of a partner is given, by name.

use proc_macro2::Ident;

use super::args::Named;
use super::model::{Call, From, Handing, Local, Passed, Read, RecordedParameter, What};
use super::partner::{Kind, Partner, Takes};
use super::validate::Parameters;
use crate::diagnostics::{Errors, quoted, similar};
use crate::syntax::parameter::{Form, RecordedAs, recorded_name};
use crate::syntax::types::{argument_of, is_unsized, lent, may_be_unsized, same_type};

/// The two decisions, each with a partner.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Decision {
    Commit,
    Rollback,
}

/// The action whose partners are matched.
#[derive(Clone, Copy)]
pub(super) struct Branched<'a> {
    pub(super) name: &'a Ident,
    pub(super) fenced: bool,
    pub(super) always_cancel: bool,
}

impl Branched<'_> {
    /// Whether phase two may come where phase one left nothing.
    fn may_find_nothing(self, decision: Decision) -> bool {
        decision == Decision::Rollback && (!self.fenced || self.always_cancel)
    }
}

/// The call of a partner: each of its parameters matched by name.
pub(super) fn call(
    branch: (Branched<'_>, Decision),
    parameters: &Parameters,
    named: &Named,
    partner: &Partner,
    errors: &mut Errors,
) -> Call {
    let mut passed = Vec::new();
    for takes in &partner.takes {
        let what = what(branch, parameters, takes, errors);
        passed.extend(what.map(|what| Passed {
            what,
            colon: takes.colon,
        }));
    }
    Call {
        partner: named.ident.clone(),
        equals: named.equals,
        self_kind: partner.self_kind,
        arrow: partner.arrow,
        passed,
    }
}

/// What is passed for one parameter of a partner.
fn what(
    (action, decision): (Branched<'_>, Decision),
    parameters: &Parameters,
    takes: &Takes,
    errors: &mut Errors,
) -> Option<What> {
    match &takes.kind {
        Kind::Tx => {
            if !action.fenced && !parameters.needless_tx {
                let message = format!(
                    "`{}` has `fence = none`, so there is no transaction to pass: name another \
                     method there, or remove this parameter",
                    action.name
                );
                errors.at(&takes.ty, message);
            }
            Some(What::Tx)
        }
        Kind::Context => Some(What::Context),
        Kind::Tried { optional, unsized_ } => {
            check_tried(takes, *optional, action, decision, errors);
            Some(What::Tried {
                optional: *optional,
                unsized_: *unsized_,
            })
        }
        Kind::Kept {
            name,
            recorded,
            optional,
            form,
        } => {
            check_kept(takes, *optional, action, decision, errors);
            Some(What::Read(Box::new(Read {
                from: if *optional {
                    From::KeptOrNot
                } else {
                    From::Kept
                },
                wire: wire_name(recorded, name),
                local: Local::OfPartner(name.clone()),
                form: (**form).clone(),
                colon: takes.colon,
                how: handing(form, &takes.ty),
            })))
        }
        Kind::Named { name, recorded } => {
            let wanted = Wanted {
                name,
                recorded,
                takes,
            };
            wanted
                .find(action, parameters, errors)
                .map(|read| What::Read(Box::new(read)))
        }
    }
}

fn wire_name(recorded: &RecordedAs, name: &Ident) -> String {
    match &recorded.name {
        Some(written) => written.value(),
        None => recorded_name(name),
    }
}

/// Behind a fence phase two runs only where phase one committed; without one, and with
/// `always_cancel`, a rollback may come before phase one answered.
fn check_tried(
    takes: &Takes,
    optional: bool,
    action: Branched<'_>,
    decision: Decision,
    errors: &mut Errors,
) {
    let may_find_nothing = action.may_find_nothing(decision);
    if action.fenced && optional && !may_find_nothing {
        let message = "behind a fence phase two runs only where phase one committed, so what it \
                       returned is always there: take `&T`";
        errors.at(&takes.ty, message);
    }
    if may_find_nothing && !optional {
        let why = why_nothing(action);
        let message =
            format!("{why} a rollback may come before phase one answered: take `Option<&T>`");
        errors.at(&takes.ty, message);
    }
}

/// As [`check_tried`], for a value that phase one kept; it may have kept none in any case.
fn check_kept(
    takes: &Takes,
    optional: bool,
    action: Branched<'_>,
    decision: Decision,
    errors: &mut Errors,
) {
    if action.may_find_nothing(decision) && !optional {
        let why = why_nothing(action);
        let message =
            format!("{why} a rollback may come before phase one kept anything: take `Option<T>`");
        errors.at(&takes.ty, message);
    }
}

fn why_nothing(action: Branched<'_>) -> &'static str {
    if action.fenced {
        "with `always_cancel`"
    } else {
        "without a fence"
    }
}

/// A value that a partner wants by its name.
struct Wanted<'a> {
    name: &'a Ident,
    recorded: &'a RecordedAs,
    takes: &'a Takes,
}

impl Wanted<'_> {
    fn find(
        &self,
        action: Branched<'_>,
        parameters: &Parameters,
        errors: &mut Errors,
    ) -> Option<Read> {
        let name = self.name;
        let found = parameters
            .recorded
            .iter()
            .find(|recorded| match &self.recorded.name {
                Some(wire) => recorded.wire == wire.value(),
                None => recorded_name(&recorded.ident) == recorded_name(name),
            });
        if let Some(found) = found {
            return Some(self.read(found));
        }
        if parameters.broken.contains(name) {
            // Its own mistake is reported already.
            return None;
        }
        match &self.recorded.name {
            Some(wire) if self.recorded.default => self.read_of_others(wire, errors),
            Some(wire) => {
                let message = format!(
                    "`{}` records nothing as `{}`; it {}. If only other versions record it, say \
                     what stands in for it here: #[recorded(name = \"{}\", default)]",
                    action.name,
                    wire.value(),
                    records(parameters),
                    wire.value()
                );
                errors.at(wire, message);
                None
            }
            None => {
                errors.at(name, not_recorded(action, parameters, name));
                None
            }
        }
    }

    fn read(&self, found: &RecordedParameter) -> Read {
        // Where a partner takes a value under another name, it may take it twice.
        let local = match &self.recorded.name {
            Some(_) => Local::OfPartner(self.name.clone()),
            None => Local::Of(found.ident.clone()),
        };
        Read {
            from: from(found.default || self.recorded.default),
            wire: found.wire.clone(),
            local,
            form: found.form.clone(),
            colon: found.colon,
            how: handing(&found.form, &self.takes.ty),
        }
    }

    /// A value that this version does not record any more, or not yet.
    fn read_of_others(&self, wire: &syn::LitStr, errors: &mut Errors) -> Option<Read> {
        let ty = &self.takes.ty;
        match Form::of(ty, &syn::Generics::default(), false) {
            Ok(form) => Some(Read {
                from: From::ArgumentsOrDefault,
                wire: wire.value(),
                local: Local::OfPartner(self.name.clone()),
                colon: self.takes.colon,
                how: handing(&form, ty),
                form,
            }),
            Err(message) => {
                errors.at(ty, message.replace(", or mark it `#[skip]`", ""));
                None
            }
        }
    }
}

fn from(default: bool) -> From {
    if default {
        From::ArgumentsOrDefault
    } else {
        From::Arguments
    }
}

/// What an action records, for messages.
fn records(parameters: &Parameters) -> String {
    match parameters.recorded.as_slice() {
        [] => "records no parameter".to_owned(),
        recorded => format!(
            "records {}",
            quoted(recorded.iter().map(|recorded| recorded.wire.as_str()))
        ),
    }
}

fn not_recorded(action: Branched<'_>, parameters: &Parameters, name: &Ident) -> String {
    let of = action.name;
    if parameters.skipped.contains(name) {
        return format!(
            "`{name}` is marked `#[skip]` in `{of}`, so phase two does not have it: leave it \
                 out here, or remove `#[skip]` there"
        );
    }
    let written = recorded_name(name);
    let known = parameters.recorded.iter().map(|recorded| &recorded.ident);
    let known: Vec<String> = known.map(recorded_name).collect();
    let known = known.iter().map(String::as_str);
    let hint = match similar(written.trim_start_matches('_'), known) {
        Some(meant) if written.starts_with('_') => format!(
            ". Is it `{meant}`? A phase-two method is only given what it takes: leave out what it does \
             not use"
        ),
        Some(meant) => format!(". Did you mean `{meant}`?"),
        None if written == "tried" => "; what phase one returned is marked `#[tried]`".to_owned(),
        None => String::new(),
    };
    let records = records(parameters);
    let tx = if action.fenced {
        "`&mut FenceTx<..>`, "
    } else {
        ""
    };
    let rest = if hint.is_empty() {
        format!(
            "; a phase-two method may also take {tx}`&BranchContext`, `#[tried] value: &T` and `#[kept] \
             name: T`, and reads what else it needs off `self`"
        )
    } else {
        hint
    };
    format!("`{name}` is not a parameter of `{of}`, which {records}{rest}")
}

/// How a value of this recorded form is handed to a parameter of that type. What does not fit is
/// handed over all the same: rustc says what is wrong with it.
fn handing(form: &Form, wanted: &syn::Type) -> Handing {
    if lent(wanted).is_some() {
        return Handing::Lend;
    }
    if let Some(inner) = argument_of(wanted, "Option").and_then(lent) {
        // An alias may hide that the type is unsized; written alike, it is the recorded one.
        if let Form::OptionLent(recorded) = form
            && !is_unsized(inner)
            && may_be_unsized(inner)
            && same_type(recorded, inner)
        {
            return Handing::LendRecordedInside(Box::new(recorded.clone()));
        }
        return if is_unsized(inner) {
            Handing::LendUnsizedInside
        } else {
            Handing::LendInside
        };
    }
    let wants_cow = argument_of(wanted, "Cow").is_some();
    match (form, wants_cow) {
        (Form::Cow(_), false) => Handing::OutOfCow,
        (Form::Owned(_) | Form::Lent(_), true) => Handing::IntoCow,
        _ => Handing::Move,
    }
}
