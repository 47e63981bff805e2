using System.Globalization;
using Streaming.Models.Options;
using Streaming.Worker.Settings;

namespace Streaming.Lab.Backtest;

/// <summary>
/// Model settings of offline protocols where none are given. The usual defaults suit a
/// stream that is seen once. Many passes over a recorded set need sharper scores and more regularization, its users
/// rarely choose their last item again, and narrow widths with heavier losses come close to models trained on their own.
/// </summary>
internal static class OfflinePreset
{
    /// <summary>Gets a description of the settings and values.</summary>
    public const string Description =
        "Unless set, offline protocols use STREAMING__Model__Temperature=0.1 (1 without STREAMING__Model__Cosine), "
        + "STREAMING__Model__OutputLinear=true, STREAMING__Model__OutputLinearScale=1, STREAMING__Model__OutputNegatives=0.25, a "
        + "STREAMING__Model__Dropout rising from 0.2 to 0.6 over the widths, and STREAMING__Model__WidthWeights of D / w.";

    private const double LeastDropout = 0.2;
    private const double MostDropout = 0.6;

    /// <summary>The preset of a model: some of it follows from what is set.</summary>
    /// <param name="model">The model as it is set, over the defaults.</param>
    public static SettingsLayer For(ModelOptions model) =>
        new(
            SettingOrigin.Preset,
            [
                Value("Temperature", model.Cosine ? "0.1" : "1"),
                Value("OutputLinear", "true"),
                Value("OutputLinearScale", "1"),
                Value("OutputNegatives", "0.25"),
                Value("Dropout", List(model.Widths.Select((_, k) => Rate(k, model.Widths.Count)))),
                Value("WidthWeights", List(model.Widths.Select(width => (double)model.Dimension / width))),
            ]
        );

    private static SettingInput Value(string property, string text) => new($"{Setting.Prefix}Model__{property}", text, "offline protocols");

    private static string List(IEnumerable<double> values) =>
        string.Join(',', values.Select(static value => value.ToString("0.###", CultureInfo.InvariantCulture)));

    private static double Rate(int k, int widths) =>
        widths == 1 ? (LeastDropout + MostDropout) / 2 : LeastDropout + ((MostDropout - LeastDropout) * k / (widths - 1));
}
