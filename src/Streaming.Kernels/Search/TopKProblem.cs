using Streaming.Kernels.Norms;

namespace Streaming.Kernels.Search;

/// <summary>The best k rows of a catalogue for each query at one width.</summary>
public ref struct TopKProblem
{
    /// <summary>Queries [n × QueryStride]; the first <see cref="Width"/> values of each are used.</summary>
    public ReadOnlySpan<float> Queries;

    /// <summary>Distance between queries, at least <see cref="Width"/>.</summary>
    public int QueryStride;

    /// <summary>Item vectors [N × CatalogueStride]; the first <see cref="Width"/> values of each are used.</summary>
    public ReadOnlySpan<float> Catalogue;

    /// <summary>Distance between item vectors, at least <see cref="Width"/>.</summary>
    public int CatalogueStride;

    /// <summary>Length of the prefix, w.</summary>
    public int Width;

    /// <summary>Whether a row of the catalogue is an item (not 0) or unused (0) [N]. Empty: all are items.</summary>
    public ReadOnlySpan<byte> Present;

    /// <summary>Factor of each item's score [N], or empty. Pass 1/|item[:w]| (see <see cref="InverseNorms"/>) for cosine; the
    /// query's norm does not affect the order, and scores are then |query| · cosine.</summary>
    public ReadOnlySpan<float> Scales;

    /// <summary>k, results per query.</summary>
    public int Count;

    /// <summary>Out: rows, best first, ties by row [n × k]; −1 beyond the last.</summary>
    public Span<int> Rows;

    /// <summary>Out: scores [n × k]; −∞ beyond the last.</summary>
    public Span<float> Scores;
}
