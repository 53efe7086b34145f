//! What is generated from `protocol/proto` is checked in, so that nobody needs a generator to
//! build. This test generates it anew and compares; `cargo xtask codegen` makes it write instead.

mod shop;

use std::{
    fs,
    path::{Path, PathBuf},
};

use expect_test::expect_file;

const PROTO: &str = "unanimous/v1/coordinator.proto";
/// What the generator calls the file of the package `unanimous.v1`.
const GENERATED: &str = "unanimous.v1.rs";
/// Where the stubs find the messages.
const MESSAGES: &str = "::unanimous_protocol::wire::v1";
/// Messages that hold users' values: what prints them is written by hand, so that it leaves these
/// out.
const PRIVATE: [&str; 3] = ["PhaseTwo", "Register", "Reported"];

/// Which of the three parts is generated.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    Client,
    Messages,
    Server,
}

fn proto_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/proto")
}

fn generate(part: Part) -> String {
    let descriptors =
        protox::compile([PROTO], [proto_folder()]).expect("the protocol's definition compiles");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let builder = tonic_prost_build::configure()
        .build_client(part == Part::Client)
        .build_server(part == Part::Server)
        .build_transport(false)
        .generate_default_stubs(false)
        .emit_rerun_if_changed(false)
        .btree_map(".")
        .out_dir(folder.path());
    let builder = match part {
        Part::Messages => PRIVATE.into_iter().fold(builder, |builder, message| {
            builder.skip_debug([format!(".unanimous.v1.{message}")])
        }),
        Part::Client | Part::Server => builder.extern_path(".unanimous.v1", MESSAGES),
    };
    builder
        .compile_fds(descriptors)
        .expect("code can be generated");
    fs::read_to_string(folder.path().join(GENERATED)).expect("the generated file can be read")
}

#[test]
fn the_messages_are_those_of_the_definition() {
    expect_file!["../../../protocol/src/wire/generated/unanimous.v1.rs"]
        .assert_eq(&generate(Part::Messages));
}

#[test]
fn the_client_is_that_of_the_definition() {
    expect_file!["../../../runtime/src/coordinator/grpc/generated/unanimous.v1.rs"]
        .assert_eq(&generate(Part::Client));
}

#[test]
fn the_server_is_that_of_the_definition() {
    expect_file!["../../../coordinator/src/serve/generated/unanimous.v1.rs"]
        .assert_eq(&generate(Part::Server));
}
