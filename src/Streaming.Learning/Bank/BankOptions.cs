using Streaming.Core.Options;
using Streaming.Models.Options;

namespace Streaming.Learning.Bank;

/// <summary>When the memory bank is used and how much of it. Its capacity is <see cref="ModelOptions.BankCapacity"/>.</summary>
public sealed record BankOptions
{
    /// <summary>Gets the step at which the bank switches on. Default −1: when the drift is low enough. Otherwise 0 … 10,000,000.</summary>
    public int WarmupSteps { get; init; } = -1;

    /// <summary>Gets the drift over ten steps, relative to the norms, below which the warm-up ends. Default 0.2; above 0.</summary>
    public double WarmupDrift { get; init; } = 0.2;

    /// <summary>
    /// Gets the maximum staleness of entries in use, ‖e_bank − e_now‖² / ‖e_now‖². Default 0.1; above 0; with 1e9 all entries are
    /// used whatever their age.
    /// </summary>
    public double MaxStaleness { get; init; } = 0.1;

    /// <summary>Gets the number of steps between measurements of drift and staleness. Default 20; 10 … 100,000.</summary>
    public int MeasureEvery { get; init; } = 20;

    /// <summary>Gets the number of items whose drift is measured. Default 256; 8 … 65,536.</summary>
    public int Probes { get; init; } = 256;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(WarmupSteps is >= -1 and <= 10_000_000, nameof(WarmupSteps), WarmupSteps, "-1 (by drift) or 0 … 10000000");
        errors.Check(WarmupDrift > 0, nameof(WarmupDrift), WarmupDrift, "above 0");
        errors.Check(MaxStaleness > 0, nameof(MaxStaleness), MaxStaleness, "above 0");
        errors.Range(nameof(MeasureEvery), MeasureEvery, DriftProbe.LongestGap, 100_000);
        errors.Range(nameof(Probes), Probes, 8, 65_536);
        errors.Throw();
    }
}
