#[automatically_derived]
impl ::unanimous::__private::Participant for Lent {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("record", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let path: <Path as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("path")?;
                    let text: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("text")?;
                    let bytes: <[u8] as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("bytes")?;
                    let map: <BTreeMap<String, u8> as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("map")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let __answer = Self::as_recorded(
                                    &self,
                                    &path,
                                    &text,
                                    &bytes,
                                    &map,
                                )
                                .await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let __answer = Self::the_other_way(
                                    &self,
                                    text,
                                    bytes,
                                    map,
                                    path,
                                )
                                .await;
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
