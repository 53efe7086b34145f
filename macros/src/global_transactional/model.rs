//! What an annotated function means once it is checked.

use proc_macro2::TokenStream;
use syn::{Expr, Type};

use super::args::{CommitOn, Propagation};
use crate::hygiene::{Arrow, CratePath};
use crate::syntax::annotated_fn::{AnnotatedFn, Body};
use crate::syntax::arguments::Conversion;
use crate::syntax::async_fn::Shape;
use crate::syntax::duration::Time;

/// A transactional function.
pub(crate) struct Model {
    pub(crate) function: AnnotatedFn,
    pub(crate) body: Body,
    pub(crate) shape: Shape,
    /// What the future resolves to, where it is written.
    pub(crate) output: Option<Type>,
    pub(crate) arrow: Arrow,
    /// An expression of type `&'static str`.
    pub(crate) name: TokenStream,
    pub(crate) timeout: Option<Time>,
    pub(crate) settle: Option<Time>,
    pub(crate) propagation: Option<Propagation>,
    pub(crate) commit_on: Option<CommitOn>,
    pub(crate) map_err: Option<Conversion>,
    pub(crate) runtime: Option<Expr>,
    pub(crate) krate: CratePath,
}
