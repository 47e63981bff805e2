using System.Globalization;
using Streaming.Kernels.Softmax;

namespace Streaming.Models.Options;

/// <summary>The bounds of <see cref="ModelOptions"/>; reports all violations together.</summary>
internal static class ModelOptionsCheck
{
    public static void Verify(ModelOptions o)
    {
        var errors = new List<string>();
        Shape(o, errors);
        Items(o, errors);
        Loss(o, errors);
        Tower(o, errors);
        Optimiser(o, errors);
        if (errors.Count > 0)
        {
            throw new ArgumentException($"Invalid model options:{Environment.NewLine}{string.Join(Environment.NewLine, errors)}");
        }
    }

    private static void Shape(ModelOptions o, List<string> errors)
    {
        bool increasing = o.Widths.Count > 0 && o.Widths.Zip(o.Widths.Skip(1)).All(pair => pair.First < pair.Second);
        if (!increasing || o.Widths.Count > 16 || o.Widths.Any(width => width is < 4 or > 4096))
        {
            errors.Add($"Widths is {(o.Widths.Count == 0 ? "empty" : List(o.Widths))}; allowed: 1 to 16 increasing widths, each 4 … 4096, such as 16,32,64,128.");
        }

        Defined(o.Tower, nameof(o.Tower), errors);
        Range(o.Layers, 1, 8, nameof(o.Layers), errors);
        Range(o.HistoryLength, 1, 1024, nameof(o.HistoryLength), errors);
        Range(o.Interests, 1, 16, nameof(o.Interests), errors);
        Range(o.RoutingIterations, 1, 10, nameof(o.RoutingIterations), errors);
    }

    private static void Items(ModelOptions o, List<string> errors)
    {
        Range(o.ItemCapacity, 2, int.MaxValue, nameof(o.ItemCapacity), errors);
        int d = o.Widths.Count == 0 ? 1 : o.Widths[^1];
        Fits(o.ItemCapacity, o.ItemIds ? d : 0, nameof(o.ItemCapacity), "D", errors);
        if (!o.ItemIds && o.FeatureGroups.Count == 0)
        {
            errors.Add("ItemIds is false and FeatureGroups is empty; enable at least one, because an item needs a vector.");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var group in o.FeatureGroups)
        {
            if (string.IsNullOrWhiteSpace(group.Name) || !names.Add(group.Name))
            {
                errors.Add($"FeatureGroups has the name '{group.Name}'; names must be unique and not empty.");
            }

            Range(group.Length, 1, 65536, $"FeatureGroups[{group.Name}].Length", errors);
        }

        if (o.FeatureGroups.All(group => group.Length is >= 1 and <= 65536))
        {
            Fits(o.ItemCapacity, o.FeatureGroups.Sum(group => (long)group.Length), nameof(o.ItemCapacity), "F", errors);
        }

        Range(o.BankCapacity, 0, 4_194_304, nameof(o.BankCapacity), errors);
        Fits(2L * o.BankCapacity, d, $"2 · {nameof(o.BankCapacity)}", "D", errors);
    }

    private static void Loss(ModelOptions o, List<string> errors)
    {
        Defined(o.Loss, nameof(o.Loss), errors);
        Defined(o.LogQ, nameof(o.LogQ), errors);
        if (o.LogQ == LogQCorrection.Corrected && o.Loss is (LossKind.Full or LossKind.Uniform))
        {
            errors.Add($"LogQ is {o.LogQ} with Loss {o.Loss}; allowed with this loss: None, Classic, because it does not sample by frequency.");
        }

        Defined(o.HitMask, nameof(o.HitMask), errors);
        if (o.HitMask == HitMask.Slot && o.Loss is (LossKind.Full or LossKind.Uniform))
        {
            errors.Add($"HitMask is {o.HitMask} with Loss {o.Loss}; allowed with this loss: {nameof(HitMask.Id)}, because no row's positive is another's negative.");
        }

        Range(o.Temperature, 1e-4, 1e4, nameof(o.Temperature), errors);
        if (o.WidthWeights.Count != 0 && o.WidthWeights.Count != o.Widths.Count)
        {
            errors.Add($"WidthWeights has {o.WidthWeights.Count} values; allowed: none, or one for each of the {o.Widths.Count} widths.");
        }

        foreach (float weight in o.WidthWeights)
        {
            Range(weight, 0, 1e6, nameof(o.WidthWeights), errors);
        }

        if (o.WidthWeights.Count > 0 && !o.WidthWeights.Any(weight => weight > 0))
        {
            errors.Add($"WidthWeights is {List(o.WidthWeights)}; allowed: at least one above 0.");
        }
    }

    private static void Tower(ModelOptions o, List<string> errors)
    {
        if (o.Dropout.Count != 1 && o.Dropout.Count != o.Widths.Count)
        {
            errors.Add($"Dropout has {o.Dropout.Count} values; allowed: one, or one for each of the {o.Widths.Count} widths.");
        }

        foreach (float rate in o.Dropout)
        {
            Range(rate, 0, 0.95, nameof(o.Dropout), errors);
        }

        Defined(o.Norm, nameof(o.Norm), errors);
        if (!(o.RingMin >= 0 && o.RingMin < o.RingMax && o.RingMax < 1))
        {
            errors.Add(Text($"RingMin is {o.RingMin} and RingMax {o.RingMax}; allowed: 0 ≤ RingMin < RingMax < 1."));
        }

        Range(o.OutputLinearScale, 1e-3, 10, nameof(o.OutputLinearScale), errors);
        Range(o.OutputNegatives, 0, 0.9, nameof(o.OutputNegatives), errors);
        Range(o.WeightScale, 1e-3, 10, nameof(o.WeightScale), errors);
        Range(o.ItemDeviation, 1e-6, 10, nameof(o.ItemDeviation), errors);
    }

    private static void Optimiser(ModelOptions o, List<string> errors)
    {
        Range(o.Beta1, 0, 0.99999, nameof(o.Beta1), errors);
        Range(o.Beta2, 0, 0.99999, nameof(o.Beta2), errors);
        Range(o.Epsilon, 1e-12, 1, nameof(o.Epsilon), errors);
        Range(o.WeightDecay, 0, 1, nameof(o.WeightDecay), errors);
        Range(o.IdWeightDecay, 0, 1, nameof(o.IdWeightDecay), errors);
        Range(o.ClipNorm, 0, 1e6, nameof(o.ClipNorm), errors);
        Defined(o.IdOptimizer, nameof(o.IdOptimizer), errors);
    }

    private static void Range(double value, double least, double most, string name, List<string> errors)
    {
        if (!(value >= least && value <= most))
        {
            errors.Add(Text($"{name} is {value}; allowed: {least} … {most}."));
        }
    }

    private static void Defined<T>(T value, string name, List<string> errors)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            errors.Add($"{name} is {value}; allowed: {string.Join(", ", Enum.GetNames<T>())}.");
        }
    }

    private static void Fits(long rows, long columns, string name, string what, List<string> errors)
    {
        if (rows * columns > Array.MaxLength)
        {
            errors.Add(Text($"{name} is {rows} with {what} = {columns}; allowed: at most {Array.MaxLength / columns} rows of that length in one table."));
        }
    }

    private static string List<T>(IEnumerable<T> values) => string.Join(",", values.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value}")));

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
