//! Model in, tokens out: the impl block with its actions' bodies replaced, the `Participant` impl,
//! and one record for `inventory`.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Token, parse_quote};

use super::associated::Associated;
use super::bounds;
use super::model::Model;
use super::validate::is_own_type;
use crate::diagnostics::{Errors, similar};
use crate::hygiene::{CratePath, at, braces, local, with_self};
use crate::syntax::annotated_fn::AnnotatedFn;
use crate::syntax::arguments::as_text;
use crate::syntax::impl_block::{ImplBlock, Item};
use crate::syntax::parameter::{SelfKind, strip_marks};
use crate::syntax::public_shape::{on_shared_self, public_shape as public_shape_of};
use crate::syntax::types::{any_token, borrows};
use crate::two_phase_action::args::{self as action_args, Args as ActionArgs};
use crate::two_phase_action::model::Fence;
use crate::two_phase_action::{expand as action, is_ours};

/// The whole output.
pub(crate) fn expand(block: &ImplBlock, model: &Model) -> TokenStream {
    let mut actions = model.actions.iter();
    let block_of = split(
        block,
        |method| model.partners.contains(&method.sig.ident.to_string()),
        // Actions stand in the order of the block.
        |_| {
            actions
                .next()
                .map(|one| action::phase_one(one, model.fence.as_ref(), &model.krate))
        },
    );
    let participant = participant(block, model);
    let linked = linked(block, &model.krate);
    quote!(#block_of #participant #linked)
}

/// The impl block with its actions replaced. In a trait's impl, where methods that are not the
/// trait's cannot stay, the partners move into an inherent impl beside it.
fn split(
    block: &ImplBlock,
    is_partner: impl Fn(&AnnotatedFn) -> bool,
    mut phase_one: impl FnMut(&AnnotatedFn) -> Option<TokenStream>,
) -> TokenStream {
    let moves = block.header.trait_.is_some();
    let associated = Associated::of(block);
    let (mut stay, mut move_out) = (TokenStream::new(), TokenStream::new());
    for item in &block.items {
        match item {
            Item::Other(tokens) => stay.extend(tokens.clone()),
            Item::Method(method) if method.attrs.iter().any(is_ours) => {
                stay.extend(phase_one(method));
            }
            Item::Method(method) if is_partner(method) => {
                let to = if moves { &mut move_out } else { &mut stay };
                // That it is async is our wish, whether it awaits or not.
                to.extend(quote!(#[allow(clippy::unused_async)]));
                let method = without_marks(method).into_token_stream();
                to.extend(if moves {
                    associated.in_full(method)
                } else {
                    method
                });
            }
            Item::Method(method) => without_marks(method).to_tokens(&mut stay),
        }
    }
    let block_of = block.with_items(stay);
    if move_out.is_empty() || !is_own_type(&block.header) {
        return block_of;
    }
    let attrs = block
        .header
        .attrs
        .iter()
        .filter(|attr| is_condition(attr) || is_lint(attr));
    let (generics, _, where_clause) = block.header.generics.split_for_impl();
    let (keyword, ty) = (keyword(block), &block.header.self_ty);
    let items = items(block, move_out);
    quote_spanned! {Span::mixed_site()=>
        #block_of
        #(#attrs)*
        #keyword #generics #ty #where_clause #items
    }
}

/// The `impl` of a block of ours, where the user's stands: what is wrong with the type as a whole is
/// reported there.
fn keyword(block: &ImplBlock) -> Token![impl] {
    Token![impl](at(block.header.impl_token.span))
}

/// The items of a block of ours, in braces where the user's stand.
fn items(block: &ImplBlock, content: TokenStream) -> TokenStream {
    braces(content, at(block.header.brace_token.span.join()))
}

fn without_marks(method: &AnnotatedFn) -> AnnotatedFn {
    let mut method = method.clone();
    strip_marks(&mut method.sig.inputs);
    method
}

fn is_condition(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg")
}

fn is_lint(attr: &Attribute) -> bool {
    ["allow", "warn", "deny", "forbid"]
        .iter()
        .any(|word| attr.path().is_ident(word))
}

/// The `Participant` impl.
fn participant(block: &ImplBlock, model: &Model) -> TokenStream {
    let krate = &model.krate;
    let (spec, location) = (krate.private("ActionSpec"), krate.private("SourceLocation"));
    let specs = model.actions.iter().map(|one| {
        let (cfgs, spec) = (one.cfgs(), action::spec(one, krate));
        quote_spanned!(Span::mixed_site()=> #(#cfgs)* #spec,)
    });
    let this = local("self");
    let name = name(model, &this, krate);
    let fence = model.fence.as_ref();
    let fence = fence.map(|fence| fence_method(fence, &this, krate));
    let any_instance = model.any_instance.then(|| {
        quote_spanned! {Span::mixed_site()=>
            fn any_instance(&#this) -> ::core::primitive::bool {
                true
            }
        }
    });
    let arms: TokenStream = model
        .actions
        .iter()
        .map(|one| action::arms(one, &this, model.fence.as_ref(), krate))
        .collect();
    let arms = Associated::of(block).in_full(arms);
    let branch = local("__branch");
    let body = quote_spanned! {Span::mixed_site()=>
        match (#branch.action(), #branch.decision()) {
            #arms
            _ => {
                let error = #branch.unknown_action();
                ::std::boxed::Box::pin(::core::future::ready(::core::result::Result::Err(error)))
            }
        }
    };
    let phase_two = phase_two(block, &this, krate, &body);
    let content = quote_spanned! {Span::mixed_site()=>
        fn name(&#this) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
            #name
        }
        fn actions(&#this) -> &'static [#spec] {
            const { &[#(#specs)*] }
        }
        #fence
        #any_instance
        fn declared_at(&#this) -> ::core::option::Option<#location> {
            ::core::option::Option::Some(#location { file: ::core::file!(), line: ::core::line!() })
        }
        #phase_two
    };
    implementation(block, krate, content)
}

fn fence_method(fence: &Fence, this: &proc_macro2::Ident, krate: &CratePath) -> TokenStream {
    let (dyn_fence, fence) = (
        krate.private("DynFence"),
        fence.of(this, SelfKind::Lent, krate),
    );
    quote_spanned! {Span::mixed_site()=>
        fn fence(&#this) -> ::core::option::Option<&dyn #dyn_fence> {
            ::core::option::Option::Some(#fence.erased())
        }
    }
}

fn name(model: &Model, this: &proc_macro2::Ident, krate: &CratePath) -> TokenStream {
    let name = &model.name;
    if let Some(text) = as_text(name) {
        return quote_spanned!(Span::mixed_site()=> ::std::borrow::Cow::Borrowed(#text));
    }
    let (name, of) = (with_self(name, this), krate.private("participant_name"));
    quote_spanned!(Span::mixed_site()=> #of(#name))
}

/// What a type lacks to be shared is said of the impl block, and not of every future again: where it
/// has type parameters, the bounds hold in here. Others have none, as bounds cost time in every
/// function: a witness that fails keeps the compiler from looking at the futures.
fn phase_two(
    block: &ImplBlock,
    this: &proc_macro2::Ident,
    krate: &CratePath,
    body: &TokenStream,
) -> TokenStream {
    let is_generic = block.header.generics.type_params().next().is_some();
    let bounds = is_generic.then(|| {
        quote_spanned! {Span::mixed_site()=>
            where Self: ::core::marker::Send + ::core::marker::Sync + 'static
        }
    });
    let witness = (!is_generic).then(|| {
        let shared = krate.private_at("shared", block.header.impl_token.span);
        let this = quote_spanned!(at(block.header.impl_token.span)=> Self);
        quote_spanned!(Span::mixed_site()=> let _ = #shared::<#this>;)
    });
    let (future, branch) = (krate.private("PhaseTwoFuture"), krate.private("Branch"));
    let given = local("__branch");
    quote_spanned! {Span::mixed_site()=>
        #[allow(clippy::significant_drop_tightening)]
        fn phase_two<'__branch>(
            #this: ::std::sync::Arc<Self>,
            #given: &'__branch mut #branch,
        ) -> #future<'__branch> #bounds {
            #witness
            #body
        }
    }
}

fn implementation(block: &ImplBlock, krate: &CratePath, content: TokenStream) -> TokenStream {
    // A lifetime that is too short is reported where the trait is named.
    let participant = krate.private_at("Participant", block.header.impl_token.span);
    let conditions = block.header.attrs.iter().filter(|attr| is_condition(attr));
    let (generics, _, where_clause) = block.header.generics.split_for_impl();
    let (keyword, ty) = (keyword(block), &block.header.self_ty);
    let items = items(block, content);
    quote_spanned! {Span::mixed_site()=>
        #(#conditions)*
        #[automatically_derived]
        #keyword #generics #participant for #ty #where_clause #items
    }
}

/// One record per participant: it tells `build()` which types are linked in but not provided.
fn linked(block: &ImplBlock, krate: &CratePath) -> TokenStream {
    let (inventory, linked) = (
        krate.private("inventory"),
        krate.private("LinkedParticipant"),
    );
    let conditions = block.header.attrs.iter().filter(|attr| is_condition(attr));
    let ty = &block.header.self_ty;
    quote_spanned! {Span::mixed_site()=>
        #(#conditions)*
        #inventory::submit! {
            #linked::new(::core::stringify!(#ty), ::core::file!(), ::core::line!())
        }
    }
}

/// After a mistake: every method with the signature that callers see, and a `Participant` impl that
/// is never reached, so that only the mistakes themselves are reported.
pub(crate) fn public_shape(
    block: &mut ImplBlock,
    fence: (bool, Option<&Fence>),
    krate: &CratePath,
    errors: Errors,
) -> TokenStream {
    let (fenced, fence) = fence;
    // Phase two, which would use the partners, is not there.
    block.header.attrs.push(parse_quote!(#[allow(dead_code)]));
    let all: Vec<&AnnotatedFn> = block.methods().collect();
    let named = named_anywhere(&all);
    let (mut seen, inherent) = (BTreeSet::new(), block.header.trait_.is_none());
    let block_of = split(
        block,
        |method| named.contains(&method.sig.ident.to_string()),
        |method| {
            let ident = &method.sig.ident;
            let conditional = method.attrs.iter().any(is_condition);
            // A second method of one name is reported by its name alone.
            let first = seen.insert(ident.to_string()) || conditional;
            let fenced = fenced && !does_without_fence(method);
            first.then(|| {
                if inherent {
                    public_shape_of(&on_shared_self(method), fenced)
                } else {
                    public_shape_of(method, fenced)
                }
            })
        },
    );
    let this = local("self");
    let spec = krate.private("ActionSpec");
    let phase_two = phase_two(block, &this, krate, &quote!(loop {}));
    // What is wrong with the expression is a mistake of its own.
    let fence = fence.filter(|fence| fence.is_place());
    let fence = fence.map(|fence| fence_method(fence, &this, krate));
    let content = quote_spanned! {Span::mixed_site()=>
        fn name(&#this) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
            loop {}
        }
        fn actions(&#this) -> &'static [#spec] {
            loop {}
        }
        #fence
        #phase_two
    };
    // A type with lifetimes cannot implement it; that is one of the mistakes.
    let participant = is_own_type(&block.header) && !borrows(&block.header.self_ty);
    block.header.generics = bounds::completed(&block.header.generics);
    let participant = participant.then(|| implementation(block, krate, content));
    let errors = errors.into_tokens();
    quote! {
        #block_of
        #participant
        #errors
    }
}

/// The methods that any action names, well or badly: what stands in the attributes is like their
/// names.
fn named_anywhere(methods: &[&AnnotatedFn]) -> BTreeSet<String> {
    let is_action = |method: &&&AnnotatedFn| method.attrs.iter().any(is_ours);
    let others = methods.iter().filter(|method| !is_action(method));
    let others: Vec<String> = others.map(|method| method.sig.ident.to_string()).collect();
    let mut words = Vec::new();
    let attrs = methods.iter().flat_map(|method| &method.attrs);
    for attr in attrs.filter(|attr| is_ours(attr)) {
        any_token(&attr.meta, &mut |token| {
            match token {
                TokenTree::Ident(word) => words.push(word.to_string()),
                TokenTree::Literal(text) => words.push(text.to_string().replace('"', "")),
                _ => {}
            }
            false
        });
    }
    let meant = words.iter().filter_map(|word| {
        let known = || others.iter().map(String::as_str);
        known()
            .find(|name| name == word)
            .or_else(|| similar(word, known()))
    });
    meant.map(str::to_owned).collect()
}

/// Whether the action has `fence = none`.
fn does_without_fence(method: &AnnotatedFn) -> bool {
    let written = arguments(method).find_map(|args| args.fence);
    written.is_some_and(|fence| fence.is_none())
}

/// The arguments of an action as far as they can be read.
fn arguments(method: &AnnotatedFn) -> impl Iterator<Item = ActionArgs> {
    let attrs = method.attrs.iter().filter(|attr| is_ours(attr));
    attrs.filter_map(|attr| match &attr.meta {
        syn::Meta::List(list) => {
            let mut errors = Errors::default();
            Some(action_args::parse(list.tokens.clone(), &mut errors))
        }
        _ => None,
    })
}
