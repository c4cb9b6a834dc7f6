//! Conversion of units.
//!
//! Source of the names: Kusto documentation, "convert_length()" and its neighbours; the factors are the definitions of the units.
//! A unit that is none gives null. Letter case of a name does not matter.
#![allow(
    clippy::excessive_precision,
    clippy::inconsistent_digit_grouping,
    reason = "the digits of the definitions"
)]

use super::{Call, Scalar, real, text};
use crate::Value;
use crate::fault::Result;
use std::f64::consts::PI;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("convert_angle", convert_angle),
    ("convert_energy", |_, args| linear(args, ENERGY)),
    ("convert_force", |_, args| linear(args, FORCE)),
    ("convert_length", |_, args| linear(args, LENGTH)),
    ("convert_mass", |_, args| linear(args, MASS)),
    ("convert_speed", |_, args| linear(args, SPEED)),
    ("convert_temperature", convert_temperature),
    ("convert_volume", |_, args| linear(args, VOLUME)),
];

/// Units by name, with their size in the first unit that has 1.
type Units = &'static [(&'static str, f64)];

/// Degrees.
const ANGLE: Units = &[
    ("Arcminute", 1.0 / 60.0),
    ("Arcsecond", 1.0 / 3600.0),
    ("Centiradian", 1.8 / PI),
    ("Deciradian", 18.0 / PI),
    ("Degree", 1.0),
    ("Gradian", 0.9),
    ("Microdegree", 1e-6),
    ("Microradian", 180e-6 / PI),
    ("Millidegree", 1e-3),
    ("Milliradian", 180e-3 / PI),
    ("Nanodegree", 1e-9),
    ("Nanoradian", 180e-9 / PI),
    ("NatoMil", 360.0 / 6400.0),
    ("Radian", 180.0 / PI),
    ("Revolution", 360.0),
];

/// Joules.
const ENERGY: Units = &[
    ("BritishThermalUnit", 1055.055_852_62),
    ("Calorie", 4.184),
    ("DecathermEc", 1_055_055_852.62),
    ("DecathermImperial", 1_055_055_852.573_48),
    ("DecathermUs", 1_054_804_000.0),
    ("ElectronVolt", 1.602_176_634e-19),
    ("Erg", 1e-7),
    ("FootPound", 1.355_817_948_331_400_4),
    ("GigabritishThermalUnit", 1055.055_852_62e9),
    ("GigaelectronVolt", 1.602_176_634e-10),
    ("Gigajoule", 1e9),
    ("GigawattDay", 86_400e9),
    ("GigawattHour", 3600e9),
    ("HorsepowerHour", 2_684_519.537_7),
    ("Joule", 1.0),
    ("KilobritishThermalUnit", 1055.055_852_62e3),
    ("Kilocalorie", 4184.0),
    ("KiloelectronVolt", 1.602_176_634e-16),
    ("Kilojoule", 1e3),
    ("KilowattDay", 86_400e3),
    ("KilowattHour", 3600e3),
    ("MegabritishThermalUnit", 1055.055_852_62e6),
    ("Megacalorie", 4.184e6),
    ("MegaelectronVolt", 1.602_176_634e-13),
    ("Megajoule", 1e6),
    ("MegawattDay", 86_400e6),
    ("MegawattHour", 3600e6),
    ("Millijoule", 1e-3),
    ("TeraelectronVolt", 1.602_176_634e-7),
    ("TerawattDay", 86_400e12),
    ("TerawattHour", 3600e12),
    ("ThermEc", 105_505_585.262),
    ("ThermImperial", 105_505_585.257_348),
    ("ThermUs", 105_480_400.0),
    ("WattDay", 86_400.0),
    ("WattHour", 3600.0),
];

/// Newtons.
const FORCE: Units = &[
    ("Decanewton", 10.0),
    ("Dyn", 1e-5),
    ("KilogramForce", 9.806_65),
    ("Kilonewton", 1e3),
    ("KiloPond", 9.806_65),
    ("KilopoundForce", 4448.221_615_260_5),
    ("Meganewton", 1e6),
    ("Micronewton", 1e-6),
    ("Millinewton", 1e-3),
    ("Newton", 1.0),
    ("OunceForce", 0.278_013_850_953_781_25),
    ("Poundal", 0.138_254_954_376),
    ("PoundForce", 4.448_221_615_260_5),
    ("ShortTonForce", 8896.443_230_521),
    ("TonneForce", 9806.65),
];

/// Metres.
const LENGTH: Units = &[
    ("Angstrom", 1e-10),
    ("AstronomicalUnit", 149_597_870_700.0),
    ("Centimeter", 0.01),
    ("Chain", 20.1168),
    ("DataMile", 1828.8),
    ("Decameter", 10.0),
    ("Decimeter", 0.1),
    ("DtpPica", 0.0254 / 6.0),
    ("DtpPoint", 0.0254 / 72.0),
    ("Fathom", 1.8288),
    ("Foot", 0.3048),
    ("Hand", 0.1016),
    ("Hectometer", 100.0),
    ("Inch", 0.0254),
    ("KilolightYear", 9.460_730_472_580_8e18),
    ("Kilometer", 1e3),
    ("Kiloparsec", 3.085_677_581_491_367_3e19),
    ("LightYear", 9.460_730_472_580_8e15),
    ("MegalightYear", 9.460_730_472_580_8e21),
    ("Megaparsec", 3.085_677_581_491_367_3e22),
    ("Meter", 1.0),
    ("Microinch", 2.54e-8),
    ("Micrometer", 1e-6),
    ("Mil", 2.54e-5),
    ("Mile", 1609.344),
    ("Millimeter", 1e-3),
    ("Nanometer", 1e-9),
    ("NauticalMile", 1852.0),
    ("Parsec", 3.085_677_581_491_367_3e16),
    ("PrinterPica", 12.0 * 0.0254 / 72.27),
    ("PrinterPoint", 0.0254 / 72.27),
    ("Shackle", 27.432),
    ("SolarRadius", 695_510_000.0),
    ("Twip", 0.0254 / 1440.0),
    ("UsSurveyFoot", 1200.0 / 3937.0),
    ("Yard", 0.9144),
];

/// Kilograms.
const MASS: Units = &[
    ("Centigram", 1e-5),
    ("Decagram", 0.01),
    ("Decigram", 1e-4),
    ("EarthMass", 5.9722e24),
    ("Grain", 6.479_891e-5),
    ("Gram", 1e-3),
    ("Hectogram", 0.1),
    ("Kilogram", 1.0),
    ("Kilopound", 453.592_37),
    ("Kilotonne", 1e6),
    ("LongHundredweight", 50.802_345_44),
    ("LongTon", 1016.046_908_8),
    ("Megapound", 453_592.37),
    ("Megatonne", 1e9),
    ("Microgram", 1e-9),
    ("Milligram", 1e-6),
    ("Nanogram", 1e-12),
    ("Ounce", 0.028_349_523_125),
    ("Pound", 0.453_592_37),
    ("ShortHundredweight", 45.359_237),
    ("ShortTon", 907.184_74),
    ("Slug", 14.593_902_937_206_4),
    ("SolarMass", 1.988_47e30),
    ("Stone", 6.350_293_18),
    ("Tonne", 1e3),
];

const MINUTE: f64 = 1.0 / 60.0;
const HOUR: f64 = 1.0 / 3600.0;
const US_SURVEY_FOOT: f64 = 1200.0 / 3937.0;

/// Metres per second.
const SPEED: Units = &[
    ("CentimeterPerHour", 0.01 * HOUR),
    ("CentimeterPerMinute", 0.01 * MINUTE),
    ("CentimeterPerSecond", 0.01),
    ("DecimeterPerMinute", 0.1 * MINUTE),
    ("DecimeterPerSecond", 0.1),
    ("FootPerHour", 0.3048 * HOUR),
    ("FootPerMinute", 0.3048 * MINUTE),
    ("FootPerSecond", 0.3048),
    ("InchPerHour", 0.0254 * HOUR),
    ("InchPerMinute", 0.0254 * MINUTE),
    ("InchPerSecond", 0.0254),
    ("KilometerPerHour", 1000.0 * HOUR),
    ("KilometerPerMinute", 1000.0 * MINUTE),
    ("KilometerPerSecond", 1000.0),
    ("Knot", 1852.0 * HOUR),
    ("MeterPerHour", HOUR),
    ("MeterPerMinute", MINUTE),
    ("MeterPerSecond", 1.0),
    ("MicrometerPerMinute", 1e-6 * MINUTE),
    ("MicrometerPerSecond", 1e-6),
    ("MilePerHour", 1609.344 * HOUR),
    ("MillimeterPerHour", 1e-3 * HOUR),
    ("MillimeterPerMinute", 1e-3 * MINUTE),
    ("MillimeterPerSecond", 1e-3),
    ("NanometerPerMinute", 1e-9 * MINUTE),
    ("NanometerPerSecond", 1e-9),
    ("UsSurveyFootPerHour", US_SURVEY_FOOT * HOUR),
    ("UsSurveyFootPerMinute", US_SURVEY_FOOT * MINUTE),
    ("UsSurveyFootPerSecond", US_SURVEY_FOOT),
    ("YardPerHour", 0.9144 * HOUR),
    ("YardPerMinute", 0.9144 * MINUTE),
    ("YardPerSecond", 0.9144),
];

/// Cubic metres.
const VOLUME: Units = &[
    // As in the documentation's example, which rounds it to six digits.
    ("AcreFoot", 1.0 / 0.000_810_714),
    ("AuTablespoon", 2e-5),
    ("BoardFoot", 0.002_359_737_216),
    ("Centiliter", 1e-5),
    ("CubicCentimeter", 1e-6),
    ("CubicDecimeter", 1e-3),
    ("CubicFoot", 0.028_316_846_592),
    ("CubicHectometer", 1e6),
    ("CubicInch", 1.638_706_4e-5),
    ("CubicKilometer", 1e9),
    ("CubicMeter", 1.0),
    ("CubicMicrometer", 1e-18),
    ("CubicMile", 4_168_181_825.440_58),
    ("CubicMillimeter", 1e-9),
    ("CubicYard", 0.764_554_857_984),
    ("Decaliter", 0.01),
    ("DecausGallon", 0.037_854_117_84),
    ("Deciliter", 1e-4),
    ("DeciusGallon", 0.000_378_541_178_4),
    ("HectocubicFoot", 2.831_684_659_2),
    ("HectocubicMeter", 100.0),
    ("Hectoliter", 0.1),
    ("HectousGallon", 0.378_541_178_4),
    ("ImperialBeerBarrel", 0.163_659_24),
    ("ImperialGallon", 0.004_546_09),
    ("ImperialOunce", 2.841_306_25e-5),
    ("ImperialPint", 0.000_568_261_25),
    ("KilocubicFoot", 28.316_846_592),
    ("KilocubicMeter", 1000.0),
    ("KiloimperialGallon", 4.546_09),
    ("Kiloliter", 1.0),
    ("KilousGallon", 3.785_411_784),
    ("Liter", 1e-3),
    ("MegacubicFoot", 28_316.846_592),
    ("MegaimperialGallon", 4546.09),
    ("Megaliter", 1000.0),
    ("MegausGallon", 3785.411_784),
    ("MetricCup", 0.000_25),
    ("MetricTeaspoon", 5e-6),
    ("Microliter", 1e-9),
    ("Milliliter", 1e-6),
    ("OilBarrel", 0.158_987_294_928),
    ("UkTablespoon", 1.5e-5),
    ("UsBeerBarrel", 0.117_347_765_304),
    ("UsCustomaryCup", 0.000_236_588_236_5),
    ("UsGallon", 0.003_785_411_784),
    ("UsLegalCup", 0.000_24),
    ("UsOunce", 2.957_352_956_25e-5),
    ("UsPint", 0.000_473_176_473),
    ("UsQuart", 0.000_946_352_946),
    ("UsTablespoon", 1.478_676_478_125e-5),
    ("UsTeaspoon", 4.928_921_593_75e-6),
];

/// Temperatures in kelvin: size of a degree, and where the scale has its zero.
const TEMPERATURE: &[(&str, f64, f64)] = &[
    ("DegreeCelsius", 1.0, 273.15),
    ("DegreeDelisle", -2.0 / 3.0, 373.15),
    ("DegreeFahrenheit", 5.0 / 9.0, 459.67 * 5.0 / 9.0),
    ("DegreeNewton", 100.0 / 33.0, 273.15),
    ("DegreeRankine", 5.0 / 9.0, 0.0),
    ("DegreeReaumur", 1.25, 273.15),
    ("DegreeRoemer", 40.0 / 21.0, 273.15 - 7.5 * 40.0 / 21.0),
    ("Kelvin", 1.0, 0.0),
    ("MillidegreeCelsius", 0.001, 273.15),
    ("SolarTemperature", 5778.0, 0.0),
];

fn size(units: Units, name: &str) -> Option<f64> {
    units.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, size)| *size)
}

fn linear(args: &[Value], units: Units) -> Result<Value> {
    let converted = || Some(real(args, 0)? * size(units, text(args, 1))? / size(units, text(args, 2))?);
    Ok(converted().map_or(Value::Null, Value::Real))
}

/// The tilt is the sine of an angle.
fn convert_angle(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    const TILT: &str = "Tilt";
    let (from, to) = (text(args, 1), text(args, 2));
    let converted = || {
        let x = real(args, 0)?;
        let degrees =
            if from.eq_ignore_ascii_case(TILT) { x.asin().to_degrees() } else { x * size(ANGLE, from)? };
        Some(if to.eq_ignore_ascii_case(TILT) {
            degrees.to_radians().sin()
        } else {
            degrees / size(ANGLE, to)?
        })
    };
    Ok(converted().map_or(Value::Null, Value::Real))
}

fn convert_temperature(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let scale = |name: &str| TEMPERATURE.iter().find(|(n, _, _)| n.eq_ignore_ascii_case(name));
    let converted = || {
        let (_, from_size, from_zero) = scale(text(args, 1))?;
        let (_, to_size, to_zero) = scale(text(args, 2))?;
        Some((real(args, 0)? * from_size + from_zero - to_zero) / to_size)
    };
    Ok(converted().map_or(Value::Null, Value::Real))
}
