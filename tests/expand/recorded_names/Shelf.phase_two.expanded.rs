#[automatically_derived]
impl ::unanimous::__private::Participant for Shelf {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("take", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let article: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("sku")?;
                    let note: ::core::option::Option<
                        <str as ::std::borrow::ToOwned>::Owned,
                    > = ::unanimous::__private::argument_or_default(__branch, "note")?;
                    let __read_colour: <str as ::std::borrow::ToOwned>::Owned = ::unanimous::__private::argument_or_default(
                        __branch,
                        "colour",
                    )?;
                    let __answer = Self::sell(&self, &article, note, &__read_colour)
                        .await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("take", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let __read_what: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("sku")?;
                    let __read_count: Option<u32> = ::unanimous::__private::argument_or_default(
                        __branch,
                        "count",
                    )?;
                    let __answer = Self::put_back(&self, __read_what, __read_count)
                        .await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            _ => {
                let error = __branch.unknown_action();
                ::std::boxed::Box::pin(
                    ::core::future::ready(::core::result::Result::Err(error)),
                )
            }
        }
    }
}
