#[automatically_derived]
impl<R, const N: usize> ::unanimous::__private::Participant for Accounts<R, N>
where
    R: Repo,
{
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::unanimous::__private::participant_name(format!("account-{N}"))
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "open",
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
}
::unanimous::__private::inventory::submit! {
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Accounts < R, N >),
    ::core::file!(), ::core::line!())
}
