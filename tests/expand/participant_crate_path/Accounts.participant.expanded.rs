#[automatically_derived]
impl crate::renamed::crate_must_name_the_crate_unanimous::Participant for Accounts {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("account")
    }
    fn actions(
        &self,
    ) -> &'static [crate::renamed::crate_must_name_the_crate_unanimous::ActionSpec] {
        const {
            &[
                crate::renamed::crate_must_name_the_crate_unanimous::ActionSpec::new(
                    "debit",
                    ::core::file!(),
                    0,
                ),
            ]
        }
    }
    fn fence(
        &self,
    ) -> ::core::option::Option<
        &dyn crate::renamed::crate_must_name_the_crate_unanimous::DynFence,
    > {
        ::core::option::Option::Some(
            crate::renamed::crate_must_name_the_crate_unanimous::fence_of({ &self.db })
                .erased(),
        )
    }
    fn declared_at(
        &self,
    ) -> ::core::option::Option<
        crate::renamed::crate_must_name_the_crate_unanimous::SourceLocation,
    > {
        ::core::option::Option::Some(crate::renamed::crate_must_name_the_crate_unanimous::SourceLocation {
            file: ::core::file!(),
            line: ::core::line!(),
        })
    }
}
crate::renamed::crate_must_name_the_crate_unanimous::inventory::submit! {
    crate
    ::renamed::crate_must_name_the_crate_unanimous::LinkedParticipant::new(::core::stringify!(Accounts),
    ::core::file!(), ::core::line!())
}
