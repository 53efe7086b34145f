#[automatically_derived]
impl ::unanimous::__private::Participant for Shelf {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("shelf")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                        "take",
                        ::core::file!(),
                        0,
                    )
                    .aliases(&["deduct", "remove"]),
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Shelf),
    ::core::file!(), ::core::line!())
}
