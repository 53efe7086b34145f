#[automatically_derived]
impl crate::renamed::__private::Participant for Accounts {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("account")
    }
    fn actions(&self) -> &'static [crate::renamed::__private::ActionSpec] {
        const {
            &[
                crate::renamed::__private::ActionSpec::new(
                    "debit",
                    ::core::file!(),
                    0,
                ),
            ]
        }
    }
    fn fence(&self) -> ::core::option::Option<&dyn crate::renamed::__private::DynFence> {
        ::core::option::Option::Some(
            crate::renamed::__private::fence_of({ &self.db }).erased(),
        )
    }
    fn declared_at(
        &self,
    ) -> ::core::option::Option<crate::renamed::__private::SourceLocation> {
        ::core::option::Option::Some(crate::renamed::__private::SourceLocation {
            file: ::core::file!(),
            line: ::core::line!(),
        })
    }
}
crate::renamed::__private::inventory::submit! {
    crate
    ::renamed::__private::LinkedParticipant::new(::core::stringify!(Accounts),
    ::core::file!(), ::core::line!())
}
