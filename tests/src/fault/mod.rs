//! Streams with something wrong in them: what players meet in the field, on purpose and by script.
//!
//! A [`Footage`] is a clip whose pictures carry their number; a [`Plan`] says which bytes a viewer gets at which time
//! and what is wrong with them; a [`Source`] is a small server that carries it out; a [`Theatre`] is a page that plays
//! many of them side by side and notes each picture it shows; a [`Verdict`] says whether a person would complain.

mod footage;
mod plan;
mod source;
mod theatre;
mod verdict;

pub use self::{
    footage::{FRAME_MS, Footage, GOP_MS},
    plan::{Pieces, Plan, Step},
    source::{After, Source},
    theatre::{Case, Notes, Picture, Theatre, Transport},
    verdict::{GoesOn, Limits, Verdict, table},
};
