#[automatically_derived]
impl ::unanimous::__private::Participant for Shelf {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("take" | "deduct" | "remove", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let count: u32 = __branch.argument("count")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let __answer = Self::sell(&self, count).await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let __answer = Self::put_back(&self, count).await;
                            ::unanimous::__private::ended(__answer)
                        }
                    }
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
