impl Forms {
    #[allow(clippy::too_many_arguments)]
    async fn record(
        &self,
        text: &str,
        bytes: &[u8],
        map: &BTreeMap<String, u8>,
        path: &Path,
        cow: Cow<'_, str>,
        maybe: Option<&str>,
        maybe_number: Option<&u8>,
        mut owned: String,
        array: [u8; 2],
    ) -> Result<(), Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "record",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::Recorder::new()
                    .put("text", &text)
                    .put("bytes", &bytes)
                    .put("map", &map)
                    .put("path", &path)
                    .put("cow", &cow)
                    .put("maybe", &maybe)
                    .put("maybe_number", &maybe_number)
                    .put("owned", &owned)
                    .put("array", &array)
                    .finish(),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<(), Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.journal
                                .tried(format!("{text} {cow} {owned}"));
                            owned.clear();
                            drop((cow, owned));
                            assert_eq!(
                                (bytes, array, maybe, maybe_number),
                                (&[1, 2][..], [3, 4], Some("m"), Some(&5)),
                            );
                            assert_eq!(
                                (map.len(), path),
                                (1, Path::new("a/b")),
                            );
                            Ok(())
                        }
                    }),
                ),
            )
            .await
    }
    #[allow(clippy::unused_async)]
    #[allow(clippy::too_many_arguments)]
    async fn as_recorded(
        &self,
        array: [u8; 2],
        owned: String,
        text: &str,
        bytes: &[u8],
        map: &BTreeMap<String, u8>,
        path: &Path,
        cow: Cow<'_, str>,
        maybe: Option<&str>,
        maybe_number: Option<&u8>,
    ) -> Result<(), Failure> {
        assert_eq!(
            (bytes, array, maybe, maybe_number),
            (&[1, 2][..], [3, 4], Some("m"), Some(&5)),
        );
        assert_eq!((map.len(), path), (1, Path::new("a/b")));
        self.journal.confirmed(format!("{text} {cow} {owned}"));
        Ok(())
    }
    #[allow(clippy::unused_async)]
    #[allow(clippy::too_many_arguments)]
    async fn the_other_way(
        &self,
        array: &[u8],
        owned: Cow<'_, str>,
        text: String,
        bytes: Vec<u8>,
        map: BTreeMap<String, u8>,
        path: std::path::PathBuf,
        cow: String,
        maybe: Option<String>,
        maybe_number: Option<u8>,
    ) -> Result<(), Failure> {
        assert_eq!((bytes.as_slice(), array), (&[1, 2][..], &[3, 4][..]));
        assert_eq!((maybe.as_deref(), maybe_number), (Some("m"), Some(5)));
        assert_eq!((map["k"], path.as_path()), (9, Path::new("a/b")));
        self.journal.cancelled(format!("{text} {cow} {owned}"));
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Forms {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("forms")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "record",
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
            ("record", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let array: [u8; 2] = __branch.argument("array")?;
                    let owned: String = __branch.argument("owned")?;
                    let text: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("text")?;
                    let bytes: <[u8] as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("bytes")?;
                    let map: <BTreeMap<String, u8> as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("map")?;
                    let path: <Path as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("path")?;
                    let cow: Cow<'static, str> = __branch.argument("cow")?;
                    let maybe: ::core::option::Option<
                        <str as ::std::borrow::ToOwned>::Owned,
                    > = __branch.argument("maybe")?;
                    let maybe_number: ::core::option::Option<
                        <u8 as ::std::borrow::ToOwned>::Owned,
                    > = __branch.argument("maybe_number")?;
                    let __answer = Self::as_recorded(
                            &self,
                            array,
                            owned,
                            &text,
                            &bytes,
                            &map,
                            &path,
                            cow,
                            maybe.as_deref(),
                            maybe_number.as_ref(),
                        )
                        .await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("record", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let array: [u8; 2] = __branch.argument("array")?;
                    let owned: String = __branch.argument("owned")?;
                    let text: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("text")?;
                    let bytes: <[u8] as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("bytes")?;
                    let map: <BTreeMap<String, u8> as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("map")?;
                    let path: <Path as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("path")?;
                    let cow: Cow<'static, str> = __branch.argument("cow")?;
                    let maybe: ::core::option::Option<
                        <str as ::std::borrow::ToOwned>::Owned,
                    > = __branch.argument("maybe")?;
                    let maybe_number: ::core::option::Option<
                        <u8 as ::std::borrow::ToOwned>::Owned,
                    > = __branch.argument("maybe_number")?;
                    let __answer = Self::the_other_way(
                            &self,
                            &array,
                            ::std::borrow::Cow::Owned(owned),
                            text,
                            bytes,
                            map,
                            path,
                            cow.into_owned(),
                            maybe,
                            maybe_number,
                        )
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
::unanimous::__private::inventory::submit! {
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Forms),
    ::core::file!(), ::core::line!())
}

async fn record(forms: &Forms, fails: bool) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "record",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        let map = BTreeMap::from([("k".to_owned(), 9)]);
                        let (path, cow) = (Path::new("a/b"), Cow::Borrowed("c"));
                        let owned = "o".to_owned();
                        forms
                            .record(
                                "t",
                                &[1, 2],
                                &map,
                                path,
                                cow,
                                Some("m"),
                                Some(&5),
                                owned,
                                [3, 4],
                            )
                            .await?;
                        if fails { Failure::business("fails") } else { Ok(()) }
                    }
                }),
            ),
        )
        .await
}
