#[automatically_derived]
impl ::unanimous::__private::Participant for Mailer {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("mailer")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "prepare",
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Mailer),
    ::core::file!(), ::core::line!())
}
