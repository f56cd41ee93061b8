//! `git mldata demo`: the main job once, told as a story whose commands are real.

mod command;
mod stage;
mod story;

pub(crate) use command::{DemoArgs, run};
