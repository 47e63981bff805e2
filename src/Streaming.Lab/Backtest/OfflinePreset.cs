using System.Globalization;
using Streaming.Models.Options;

namespace Streaming.Lab.Backtest;

/// <summary>
/// Model settings of offline protocols where none are given. The usual defaults suit a
/// stream that is seen once. Many passes over a recorded set need sharper scores and more regularization, its users
/// rarely choose their last item again, and narrow widths with heavier losses come close to models trained on their own.
/// </summary>
internal static class OfflinePreset
{
    /// <summary>Gets a description of the settings and values.</summary>
    public const string Description = "Unless set, offline protocols use Model__Temperature=0.1 (1 without Model__Cosine), Model__OutputLinear=true, Model__OutputLinearScale=1, Model__OutputNegatives=0.25, a Model__Dropout rising from 0.2 to 0.6 over the widths, and Model__WidthWeights of D / w.";

    private const double LeastDropout = 0.2;
    private const double MostDropout = 0.6;

    /// <summary>Adds the settings that are not set.</summary>
    /// <param name="variables">Variables by name, case-insensitive.</param>
    public static void Complete(IDictionary<string, string> variables)
    {
        bool dot = variables.TryGetValue("Model__Cosine", out string? cosine) && bool.TryParse(cosine, out bool on) && !on;
        variables.TryAdd("Model__Temperature", dot ? "1" : "0.1");
        variables.TryAdd("Model__OutputLinear", "true");
        variables.TryAdd("Model__OutputLinearScale", "1");
        variables.TryAdd("Model__OutputNegatives", "0.25");
        double[] widths = Widths(variables);
        variables.TryAdd("Model__Dropout", List(widths.Select((_, k) => Rate(k, widths.Length))));
        variables.TryAdd("Model__WidthWeights", List(widths.Select(width => widths[^1] / width)));
    }

    /// <summary>Leaves invalid numbers to the settings' own validation.</summary>
    private static double[] Widths(IDictionary<string, string> variables) =>
        variables.TryGetValue("Model__Widths", out string? list)
            ? [.. list.Split(',').Select(static text => double.TryParse(text, CultureInfo.InvariantCulture, out double width) && width > 0 ? width : 1)]
            : [.. new ModelOptions().Widths];

    private static string List(IEnumerable<double> values) => string.Join(',', values.Select(static value => value.ToString("0.###", CultureInfo.InvariantCulture)));

    private static double Rate(int k, int widths) =>
        widths == 1 ? (LeastDropout + MostDropout) / 2 : LeastDropout + ((MostDropout - LeastDropout) * k / (widths - 1));
}
