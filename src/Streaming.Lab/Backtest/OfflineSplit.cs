using Streaming.Formats.Inputs;

namespace Streaming.Lab.Backtest;

/// <summary>A data set cut into what is trained on, what early stopping looks at, and what is reported.</summary>
/// <param name="Train">Training sequences.</param>
/// <param name="TrainWeights">Weight of each of their events; 0: it is history only.</param>
/// <param name="Validation">Cases for early stopping and the choice of settings.</param>
/// <param name="Test">Cases that are reported, and decide nothing.</param>
/// <param name="ItemCount">Items of the catalogue, all of which are ranked.</param>
internal sealed record OfflineSplit(JaggedList Train, WeightList TrainWeights, RankingCases Validation, RankingCases Test, int ItemCount)
{
    /// <summary>Says what the split lacks.</summary>
    /// <param name="protocol">Name of the protocol.</param>
    /// <param name="needs">What a user or the log must have for a case.</param>
    /// <param name="validates">Whether validation cases are needed.</param>
    /// <exception cref="InputFileException">There is nothing to train on, to choose by or to report.</exception>
    public OfflineSplit Checked(string protocol, string needs, bool validates)
    {
        string[] lacking =
        [
            .. Train.ValueCount > 0 ? Array.Empty<string>() : ["training sequences"],
            .. Validation.Count > 0 || !validates ? Array.Empty<string>() : ["validation cases"],
            .. Test.Count > 0 ? Array.Empty<string>() : ["test cases"],
        ];
        return lacking.Length == 0 ? this : throw new InputFileException($"The {protocol} split has no {string.Join(", no ", lacking)}: {needs}.");
    }
}
