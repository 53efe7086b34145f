impl Tickets {
    async fn book(&self, seats: Vec<u8>) -> Answer<Vec<u8>> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "book",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::Recorder::new().put("seats", &seats).finish(),
                ::unanimous::__private::how_tried(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Answer<Vec<u8>> = loop {};
                            return __returned;
                        }
                        {
                            self.journal.tried(seats.len());
                            if seats.is_empty() {
                                Failure::business("nothing to book")
                            } else {
                                Ok(seats)
                            }
                        }
                    }),
                ),
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn confirm(&self, booked: &[u8]) -> Result<(), Failure> {
        self.journal.confirmed(booked.len());
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(&self, seats: &[u8], booked: Option<&[u8]>) -> Result<(), Failure> {
        assert_eq!(booked.is_some(), !seats.is_empty());
        self.journal.cancelled(seats.len());
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Tickets {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("tickets")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "book",
                    ::core::file!(),
                    0,
                ),
            ]
        }
    }
    fn declared_at(
        &self,
    ) -> ::core::option::Option<::unanimous::__private::SourceLocation> {
        ::core::option::Option::Some(::unanimous::__private::SourceLocation {
            file: ::core::file!(),
            line: ::core::line!(),
        })
    }
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::BoxFuture<
        '__branch,
        ::core::result::Result<(), ::unanimous::__private::PhaseTwoError>,
    > {
        match (__branch.action(), __branch.decision()) {
            ("book", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __tried = __branch
                        .tried_or_missing::<
                            <Answer<Vec<u8>> as ::unanimous::__private::Fallible>::Value,
                        >()?;
                    let __answer = Self::confirm(&self, &__tried).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("book", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let seats: Vec<u8> = __branch.argument("seats")?;
                    let __tried = __branch
                        .tried::<
                            <Answer<Vec<u8>> as ::unanimous::__private::Fallible>::Value,
                        >()?;
                    let __answer = Self::cancel(&self, &seats, __tried.as_deref()).await;
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
::unanimous::__private::inventory::submit! {
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Tickets),
    ::core::file!(), ::core::line!())
}

async fn travel(tickets: &Tickets, seats: &[u8], fails: bool) -> Result<usize, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "travel",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<usize, Failure> = loop {};
                        return __returned;
                    }
                    {
                        let booked = tickets.book(seats.to_vec()).await?;
                        if fails {
                            Failure::business("no hotel")
                        } else {
                            Ok(booked.len())
                        }
                    }
                }),
            ),
        )
        .await
}
