//! Versions of a song, and sets of them.

use super::lexicon::Senses;

macro_rules! versions {
    ($($(#[$about:meta])* $version:ident = $name:literal),* $(,)?) => {
        /// A version of a song other than its studio recording.
        ///
        /// Remasters, mono, stereo, deluxe, single and album versions are the studio recording itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Version { $($(#[$about])* $version),* }

        impl Version {
            const ALL: &'static [Self] = &[$(Self::$version),*];
            /// The versions' names in responses and in `lexicon.txt`, in the order of the variants.
            pub(super) const NAMES: &'static [&'static str] = &[$($name),*];
        }
    };
}

versions! {
    /// Recorded at a concert.
    Live = "live",
    /// Without the lead vocals, for singing along.
    Karaoke = "karaoke",
    /// Recorded by a tribute act in the style of the artist.
    Tribute = "tribute",
    /// Recorded by another artist.
    Cover = "cover",
    /// Played faster and higher.
    SpedUp = "sped_up",
    /// Played slower and lower, often with reverb.
    Slowed = "slowed",
    /// Mixed so that it moves around the listener ("8D audio").
    EightD = "eight_d",
    /// Mixed anew, usually by another producer.
    Remix = "remix",
    /// Played on acoustic instruments.
    Acoustic = "acoustic",
    /// Recorded as a draft of the studio recording.
    Demo = "demo",
    /// Recorded again by the same artist.
    ReRecorded = "re_recorded",
    /// Without vocals.
    Instrumental = "instrumental",
    /// A take, an outtake, a rehearsal, a reprise, an excerpt.
    Alternate = "alternate",
    /// Shortened for radio; counts as the plain recording.
    RadioEdit = "radio_edit",
    /// Lengthened, for clubs or on a twelve-inch single.
    Extended = "extended",
    /// Played for a broadcaster or a streaming service.
    Session = "session",
    /// Sung in another language.
    Language = "language",
    /// For piano, strings or an orchestra.
    Arranged = "arranged",
    /// A skit, a commentary, a voice memo.
    Spoken = "spoken",
    /// Cut from a DJ's mix.
    Mixed = "mixed",
    /// A version or edition that its title names without saying what it is.
    Other = "other",
}

impl Version {
    // There are fewer than 32 variants.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) const COUNT: u32 = Self::ALL.len() as u32;

    /// Returns whether only a user may ask for it, not the model.
    #[must_use]
    pub const fn must_be_asked_for(self) -> bool {
        Versions::ASKED.contains(self)
    }

    /// Returns whether it may replace the plain recording if the user allows that.
    #[must_use]
    pub const fn is_substitute(self) -> bool {
        Versions::SUBSTITUTES.contains(self)
    }

    /// Returns the version's name in responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.get(self as usize).copied().unwrap_or_default()
    }

    /// Returns the cost of a version that is neither named, asked for nor allowed. A version with a cost of 0.20 or
    /// more is never accepted.
    pub(super) const fn penalty(self) -> f64 {
        match self {
            Self::RadioEdit => 0.02,
            Self::Extended => 0.04,
            _ if self.must_be_asked_for() => 1.0,
            _ => 0.25,
        }
    }
}

/// A set of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Versions(u32);

impl Versions {
    /// All versions.
    pub(super) const ALL: Self = Self((1 << Version::COUNT) - 1);
    const ASKED: Self = Self::of(&[
        Version::Live,
        Version::Karaoke,
        Version::Tribute,
        Version::Cover,
        Version::SpedUp,
        Version::Slowed,
        Version::EightD,
    ]);
    /// The only definition of which versions may replace the plain recording.
    pub(super) const SUBSTITUTES: Self = Self::of(&[
        Version::Acoustic,
        Version::Session,
        Version::ReRecorded,
        Version::Language,
        Version::Arranged,
        Version::Other,
    ]);

    /// Creates a set of these versions.
    pub(super) const fn of(versions: &[Version]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < versions.len() {
            #[allow(clippy::indexing_slicing)]
            let version = versions[at];
            set |= 1 << (version as u32);
            at += 1;
        }
        Self(set)
    }

    /// Returns the versions that the senses name.
    pub(super) const fn named_by(senses: Senses) -> Self {
        Self(senses.versions())
    }

    pub(super) fn insert(&mut self, version: Version) {
        self.0 |= 1 << (version as u32);
    }

    pub(super) const fn contains(self, version: Version) -> bool {
        self.0 & (1 << (version as u32)) != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns the version that is shown to the user. A radio edit counts as the plain recording.
    pub(super) fn label(self) -> Option<Version> {
        self.without(Self::of(&[Version::RadioEdit])).iter().next()
    }

    /// Returns those that only a user may ask for.
    pub(super) const fn to_be_asked_for(self) -> Self {
        self.intersection(Self::ASKED)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Version> {
        Version::ALL
            .iter()
            .copied()
            .filter(move |version| self.contains(*version))
    }
}

impl FromIterator<Version> for Versions {
    fn from_iter<I: IntoIterator<Item = Version>>(versions: I) -> Self {
        let mut set = Self::default();
        versions.into_iter().for_each(|version| set.insert(version));
        set
    }
}
