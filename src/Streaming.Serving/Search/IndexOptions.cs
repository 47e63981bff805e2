using Streaming.Core.Embeddings;
using Streaming.Core.Options;
using Streaming.Serving.Graphs;

namespace Streaming.Serving.Search;

/// <summary>What an index stores per item, and how it is kept up to date.</summary>
public sealed record IndexOptions
{
    /// <summary>Gets the nested widths, strictly increasing, used if the store has no generation record that lists them. The norms of these
    /// prefixes are stored, so that cosines at them cost nothing extra.</summary>
    public required IReadOnlyList<int> Widths { get; init; }

    /// <summary>Gets the maximum width to store. Default: all; 1 … 65,535.</summary>
    public int MaxWidth { get; init; } = EmbeddingFormat.MaxDimension;

    /// <summary>Gets a value indicating whether scores are divided by the norm of the item's prefix unless a search says
    /// otherwise. Default true.</summary>
    public bool Cosine { get; init; } = true;

    /// <summary>Gets the number of items that each refresh rereads to check that they still exist: items that expired, were evicted or
    /// deleted manually are not in the change feed. Default 2,000; 0 … 100,000, 0 for never.</summary>
    public int SweepItems { get; init; } = 2_000;

    /// <summary>Gets the maximum number of items per read. Default 2,000; 1 … 100,000.</summary>
    public int ReadBatch { get; init; } = 2_000;

    /// <summary>Gets how searches may be approximate, for large catalogues. Default null: every search is exact.</summary>
    public ApproximateOptions? Approximate { get; init; }

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        bool rising =
            Widths is { Count: > 0 }
            && Widths[0] >= 1
            && Widths[^1] <= EmbeddingFormat.MaxDimension
            && Widths.Zip(Widths.Skip(1)).All(static pair => pair.First < pair.Second);
        errors.Check(rising, nameof(Widths), Widths, $"one or more numbers from 1 to {EmbeddingFormat.MaxDimension}, strictly rising");
        errors.Range(nameof(MaxWidth), MaxWidth, 1, EmbeddingFormat.MaxDimension);
        errors.Range(nameof(SweepItems), SweepItems, 0, 100_000);
        errors.Range(nameof(ReadBatch), ReadBatch, 1, 100_000);
        if (Approximate is { } approximate)
        {
            errors.Include(nameof(Approximate), approximate.Validate);
            errors.Check(Cosine, nameof(Cosine), Cosine, "true, because a graph finds by cosines (Approximate)");
        }

        errors.Throw();
    }

    /// <summary>The nested widths of a generation that are stored.</summary>
    internal int[] Kept(IReadOnlyList<int> nested, bool keyPerWidth)
    {
        int[] kept = [.. nested.Where(width => width <= MaxWidth)];
        return kept.Length == nested.Count || (keyPerWidth && kept.Length > 0)
            ? kept
            : [.. kept.Where(width => width < MaxWidth), MaxWidth];
    }
}
