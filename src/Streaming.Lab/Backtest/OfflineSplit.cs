using Streaming.Formats.Inputs;

namespace Streaming.Lab.Backtest;

/// <summary>A data set split for training, early stopping and reporting.</summary>
/// <param name="Train">Training sequences.</param>
/// <param name="TrainWeights">Weight of each of their events; 0: history only.</param>
/// <param name="Validation">Cases for early stopping and choosing settings.</param>
/// <param name="Test">Cases that are reported; no decision depends on them.</param>
/// <param name="ItemCount">Number of items in the catalogue, all of which are ranked.</param>
internal sealed record OfflineSplit(JaggedList Train, WeightList TrainWeights, RankingCases Validation, RankingCases Test, int ItemCount)
{
    /// <summary>Throws if a required part is empty.</summary>
    /// <param name="protocol">Name of the protocol.</param>
    /// <param name="needs">What the protocol needs from users or the log.</param>
    /// <param name="validates">Whether validation cases are required.</param>
    /// <exception cref="InputFileException">There is nothing to train on, to choose by, or to report.</exception>
    public OfflineSplit Checked(string protocol, string needs, bool validates)
    {
        string[] lacking =
        [
            .. Train.ValueCount > 0 ? Array.Empty<string>() : ["training sequences"],
            .. Validation.Count > 0 || !validates ? Array.Empty<string>() : ["validation cases"],
            .. Test.Count > 0 ? Array.Empty<string>() : ["test cases"],
        ];
        return lacking.Length == 0
            ? this
            : throw new InputFileException($"The {protocol} split has no {string.Join(", no ", lacking)}: {needs}.");
    }
}
