using Streaming.Core.Options;
using Streaming.Kernels.Softmax;

namespace Streaming.Models.Options;

/// <summary>The bounds of <see cref="ModelOptions"/>; reports all violations together.</summary>
internal static class ModelOptionsCheck
{
    private const int MaxFields = 32;
    private const int MaxFieldName = 256;

    public static void Verify(ModelOptions o)
    {
        var errors = new OptionErrors();
        Shape(o, errors);
        Items(o, errors);
        Loss(o, errors);
        Tower(o, errors);
        Optimiser(o, errors);
        errors.Throw();
    }

    private static void Shape(ModelOptions o, OptionErrors errors)
    {
        bool increasing = o.Widths.Count > 0 && o.Widths.Zip(o.Widths.Skip(1)).All(pair => pair.First < pair.Second);
        if (!increasing || o.Widths.Count > 16 || o.Widths.Any(width => width is < 4 or > 4096))
        {
            errors.Add(nameof(o.Widths), OptionText.Show(o.Widths), "1 to 16 increasing widths, each 4 … 4096, such as 16,32,64,128");
        }

        errors.Defined(nameof(o.Tower), o.Tower);
        errors.Range(nameof(o.Layers), o.Layers, 1, 8);
        errors.Range(nameof(o.HistoryLength), o.HistoryLength, 1, 1024);
        errors.Range(nameof(o.Interests), o.Interests, 1, 16);
        errors.Range(nameof(o.RoutingIterations), o.RoutingIterations, 1, 10);
    }

    private static void Items(ModelOptions o, OptionErrors errors)
    {
        errors.Range(nameof(o.ItemCapacity), o.ItemCapacity, 2, int.MaxValue);
        int d = o.Widths.Count == 0 ? 1 : o.Widths[^1];
        Fits(o.ItemCapacity, o.ItemIds ? d : 0, nameof(o.ItemCapacity), "D", errors);
        if (!o.ItemIds && o.FeatureGroups.Count == 0)
        {
            errors.Add(nameof(o.ItemIds), "false and FeatureGroups is empty", "ids, features or both, because an item needs a vector");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (FeatureGroup group in o.FeatureGroups)
        {
            if (string.IsNullOrWhiteSpace(group.Name) || !names.Add(group.Name))
            {
                errors.Add(nameof(o.FeatureGroups), OptionText.Show(o.FeatureGroups), "names that are not empty and differ");
            }

            errors.Check(group.Length is >= 1 and <= 65536, nameof(o.FeatureGroups), group, "lengths of 1 … 65536");
            errors.Check(
                group.Fields.Count <= MaxFields
                    && group.Fields.All(static field => field.Name.Length is >= 1 and <= MaxFieldName)
                    && group.Fields.Distinct().Count() == group.Fields.Count,
                nameof(o.FeatureGroups),
                group,
                $"up to {MaxFields} text fields that differ, with names of 1 to {MaxFieldName} characters"
            );
        }

        if (o.FeatureGroups.All(group => group.Length is >= 1 and <= 65536))
        {
            Fits(o.ItemCapacity, o.FeatureGroups.Sum(group => (long)group.Length), nameof(o.ItemCapacity), "F", errors);
        }

        errors.Range(nameof(o.BankCapacity), o.BankCapacity, 0, 4_194_304);
        Fits(o.BankCapacity, 2L * d, nameof(o.BankCapacity), "2 · D", errors);
    }

    private static void Loss(ModelOptions o, OptionErrors errors)
    {
        errors.Defined(nameof(o.Loss), o.Loss);
        errors.Defined(nameof(o.LogQ), o.LogQ);
        if (o.LogQ == LogQCorrection.Corrected && o.Loss is (LossKind.Full or LossKind.Uniform))
        {
            errors.Add(nameof(o.LogQ), $"{o.LogQ} with Loss {o.Loss}", "None or Classic there, because nothing is sampled by frequency");
        }

        errors.Defined(nameof(o.HitMask), o.HitMask);
        if (o.HitMask == HitMask.Slot && o.Loss is (LossKind.Full or LossKind.Uniform))
        {
            errors.Add(
                nameof(o.HitMask),
                $"{o.HitMask} with Loss {o.Loss}",
                $"{nameof(HitMask.Id)} there, because no row's positive is another's negative"
            );
        }

        errors.Range(nameof(o.Temperature), o.Temperature, 1e-4f, 1e4f);
        if (o.WidthWeights.Count != 0 && o.WidthWeights.Count != o.Widths.Count)
        {
            errors.Add(nameof(o.WidthWeights), OptionText.Show(o.WidthWeights), $"none, or one for each of the {o.Widths.Count} widths");
        }

        foreach (float weight in o.WidthWeights)
        {
            errors.Range(nameof(o.WidthWeights), weight, 0, 1e6f);
        }

        if (o.WidthWeights.Count > 0 && !o.WidthWeights.Any(weight => weight > 0))
        {
            errors.Add(nameof(o.WidthWeights), OptionText.Show(o.WidthWeights), "at least one above 0");
        }
    }

    private static void Tower(ModelOptions o, OptionErrors errors)
    {
        if (o.Dropout.Count != 1 && o.Dropout.Count != o.Widths.Count)
        {
            errors.Add(nameof(o.Dropout), OptionText.Show(o.Dropout), $"one rate, or one for each of the {o.Widths.Count} widths");
        }

        foreach (float rate in o.Dropout)
        {
            errors.Range(nameof(o.Dropout), rate, 0, 0.95f);
        }

        errors.Defined(nameof(o.Norm), o.Norm);
        if (!(o.RingMin >= 0 && o.RingMin < o.RingMax && o.RingMax < 1))
        {
            errors.Add(nameof(o.RingMin), FormattableString.Invariant($"{o.RingMin} and RingMax {o.RingMax}"), "0 ≤ RingMin < RingMax < 1");
        }

        errors.Range(nameof(o.OutputLinearScale), o.OutputLinearScale, 1e-3f, 10);
        errors.Range(nameof(o.OutputNegatives), o.OutputNegatives, 0, 0.9f);
        errors.Range(nameof(o.WeightScale), o.WeightScale, 1e-3f, 10);
        errors.Range(nameof(o.ItemDeviation), o.ItemDeviation, 1e-6f, 10);
    }

    private static void Optimiser(ModelOptions o, OptionErrors errors)
    {
        errors.Range(nameof(o.Beta1), o.Beta1, 0, 0.99999f);
        errors.Range(nameof(o.Beta2), o.Beta2, 0, 0.99999f);
        errors.Range(nameof(o.Epsilon), o.Epsilon, 1e-12f, 1);
        errors.Range(nameof(o.WeightDecay), o.WeightDecay, 0, 1);
        errors.Range(nameof(o.IdWeightDecay), o.IdWeightDecay, 0, 1);
        errors.Range(nameof(o.ClipNorm), o.ClipNorm, 0, 1e6f);
        errors.Defined(nameof(o.IdOptimizer), o.IdOptimizer);
    }

    private static void Fits(long rows, long columns, string name, string what, OptionErrors errors)
    {
        if (rows * columns > Array.MaxLength)
        {
            errors.Add(
                name,
                FormattableString.Invariant($"{rows} with {what} = {columns}"),
                FormattableString.Invariant($"at most {Array.MaxLength / columns} rows of that length in one table")
            );
        }
    }
}
