//! A phase-two method, read once however many actions it serves.

use proc_macro2::{Ident, Span};
use syn::{FnArg, GenericParam, Generics, PatType, ReturnType, Safety, Type};

use crate::diagnostics::Errors;
use crate::hygiene::Arrow;
use crate::syntax::annotated_fn::AnnotatedFn;
use crate::syntax::parameter::{
    Form, Marks, RecordedAs, SelfKind, is_context, is_exclusive, lent_wrongly, name, self_kind,
};
use crate::syntax::types::{argument_of, is_unsized, lent};

/// A method that `commit` or `rollback` names.
pub(crate) struct Partner {
    pub(crate) ident: Ident,
    pub(crate) self_kind: SelfKind,
    pub(crate) arrow: Arrow,
    pub(crate) takes: Vec<Takes>,
}

/// One parameter of a partner.
pub(crate) struct Takes {
    pub(crate) kind: Kind,
    pub(crate) ty: Type,
    pub(crate) colon: Span,
}

/// What a partner's parameter asks for.
pub(crate) enum Kind {
    Tx,
    Context,
    Tried {
        optional: bool,
        unsized_: bool,
    },
    Kept {
        name: Ident,
        recorded: RecordedAs,
        optional: bool,
        form: Box<Form>,
    },
    Named {
        name: Ident,
        recorded: RecordedAs,
    },
}

/// The method as a partner; nothing if it cannot be one, whatever action names it.
pub(crate) fn read(method: &AnnotatedFn, fenced: bool, errors: &mut Errors) -> Option<Partner> {
    let before = errors.count();
    let sig = &method.sig;
    if sig.asyncness.is_none() {
        let message = format!(
            "a phase-two method is async: write `async fn {}`",
            sig.ident
        );
        errors.at(sig.fn_token, message);
    }
    if let Safety::Unsafe(keyword) = &sig.safety {
        errors.at(
            keyword,
            "a phase-two method is called by the runtime: it cannot be `unsafe`",
        );
    }
    if let Some(parameter) = sig
        .generics
        .params
        .iter()
        .find(|parameter| !is_lifetime(parameter))
    {
        let message = "phase two cannot know this type: it runs in another process, from recorded \
                       arguments. Name a concrete type";
        errors.at(parameter, message);
    }
    let arrow = match &sig.output {
        ReturnType::Type(arrow, _) => Some(Arrow::of(*arrow)),
        ReturnType::Default => {
            let message = "a phase-two method returns `Result<(), E>`: `Ok` ends the branch, an \
                           error repeats it; write `-> Result<(), E>`";
            errors.at(&sig.ident, message);
            None
        }
    };
    let self_kind = match sig.receiver() {
        Some(receiver) => errors.keep(self_kind(receiver)),
        None => {
            let message = "a phase-two method is called on the participant: take &self or \
                           self: Arc<Self>";
            errors.at(&sig.ident, message);
            None
        }
    };
    let takes = takes(method, fenced, errors);
    if errors.count() > before {
        return None;
    }
    Some(Partner {
        ident: sig.ident.clone(),
        self_kind: self_kind?,
        arrow: arrow?,
        takes,
    })
}

fn is_lifetime(parameter: &GenericParam) -> bool {
    matches!(parameter, GenericParam::Lifetime(_))
}

fn takes(method: &AnnotatedFn, fenced: bool, errors: &mut Errors) -> Vec<Takes> {
    let mut takes = Vec::new();
    let mut has_tx = false;
    for input in &method.sig.inputs {
        let FnArg::Typed(parameter) = input else {
            continue;
        };
        let mut parameter = parameter.clone();
        let marks = Marks::take(&mut parameter.attrs, errors);
        if let Some(skip) = &marks.skip {
            let message = "`#[skip]` stands on parameters of the action: a phase-two method is only \
                           given what it takes, so leave this parameter out";
            errors.at(skip, message);
            continue;
        }
        let Some(kind) = kind(&parameter, &marks, fenced, errors) else {
            continue;
        };
        if matches!(kind, Kind::Tx) && std::mem::replace(&mut has_tx, true) {
            errors.at(
                &parameter,
                "one `&mut` parameter is the fence's transaction; remove the other",
            );
            continue;
        }
        let colon = parameter.colon_token.span;
        takes.push(Takes {
            kind,
            ty: *parameter.ty,
            colon,
        });
    }
    takes
}

fn kind(parameter: &PatType, marks: &Marks, fenced: bool, errors: &mut Errors) -> Option<Kind> {
    if let (Some(attr), true) = (
        marks.recorded.as_ref().map(|(attr, _)| attr),
        marks.tried.is_some() || is_exclusive(&parameter.ty) || is_context(&parameter.ty),
    ) {
        let message = "`#[recorded]` stands on a value that is read by its name: remove it here";
        errors.at(attr, message);
        return None;
    }
    if let (Some(_), Some(kept)) = (&marks.tried, &marks.kept) {
        let message = "`#[tried]` is what phase one returned, `#[kept]` what it kept by name: \
                       remove one of the two";
        errors.at(kept, message);
        return None;
    }
    if marks.tried.is_some() {
        return tried(parameter, errors);
    }
    if let Some(message) = lent_wrongly(&parameter.ty) {
        errors.at(&parameter.ty, message);
        return None;
    }
    if marks.kept.is_some() {
        return kept(parameter, marks, errors);
    }
    if is_exclusive(&parameter.ty) {
        if !fenced {
            let message = "this participant has no fence, so there is no transaction to pass: add \
                           `fence = self.db` to #[participant], or remove this parameter";
            errors.at(parameter, message);
            return None;
        }
        return Some(Kind::Tx);
    }
    if is_context(&parameter.ty) {
        return Some(Kind::Context);
    }
    let Some(name) = name(parameter) else {
        let message = if matches!(*parameter.pat, syn::Pat::Wild(_)) {
            "a phase-two method is only given what it takes: leave this parameter out, or give it the \
             name that it has in the action"
        } else {
            "give this parameter a name: phase two receives it by name. Destructure it in the body"
        };
        errors.at(&parameter.pat, message);
        return None;
    };
    Some(Kind::Named {
        name: name.clone(),
        recorded: marks.recorded_as(),
    })
}

/// A value that phase one kept under the parameter's name.
fn kept(parameter: &PatType, marks: &Marks, errors: &mut Errors) -> Option<Kind> {
    let Some(name) = name(parameter) else {
        let message = "give this parameter the name under which phase one kept the value";
        errors.at(&parameter.pat, message);
        return None;
    };
    let recorded = marks.recorded_as();
    if let (true, Some((attr, _))) = (recorded.default, &marks.recorded) {
        let message = "take `Option<T>`: it is `None` where phase one kept nothing";
        errors.at(attr, message);
        return None;
    }
    let inside = argument_of(&parameter.ty, "Option");
    match Form::of(&parameter.ty, &Generics::default(), false) {
        Ok(form) => Some(Kind::Kept {
            name: name.clone(),
            recorded,
            optional: inside.is_some(),
            form: Box::new(form),
        }),
        Err(message) => {
            // A partner's parameter cannot be skipped.
            let message = message.replace(", or mark it `#[skip]`", "");
            errors.at(&parameter.ty, message);
            None
        }
    }
}

fn tried(parameter: &PatType, errors: &mut Errors) -> Option<Kind> {
    if let Some(ty) = lent(&parameter.ty) {
        return Some(Kind::Tried {
            optional: false,
            unsized_: is_unsized(ty),
        });
    }
    if let Some(ty) = argument_of(&parameter.ty, "Option").and_then(lent) {
        return Some(Kind::Tried {
            optional: true,
            unsized_: is_unsized(ty),
        });
    }
    let message = "what phase one returned is lent: take `&T`, or `Option<&T>` where a rollback may \
                   come before phase one answered";
    errors.at(&parameter.ty, message);
    None
}
