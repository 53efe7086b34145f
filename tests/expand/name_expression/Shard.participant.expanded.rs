#[automatically_derived]
impl ::unanimous::__private::Participant for Shard {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::unanimous::__private::participant_name(
            format!("shard-{}", self.number),
        )
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "put",
                    ::core::file!(),
                    0,
                ),
            ]
        }
    }
    fn fence(&self) -> ::core::option::Option<&dyn ::unanimous::__private::DynFence> {
        ::core::option::Option::Some(
            ::unanimous::__private::fence_of({ &*self.pool() }).erased(),
        )
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Shard),
    ::core::file!(), ::core::line!())
}
