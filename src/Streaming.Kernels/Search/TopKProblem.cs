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

    /// <summary>Values of a vector that count, w.</summary>
    public int Width;

    /// <summary>Whether a row of the catalogue is an item (not 0) or unused (0) [N]. Empty: all are items.</summary>
    public ReadOnlySpan<byte> Present;

    /// <summary>Factor of each item's score [N], or empty. Pass 1/|item[:w]| (see <see cref="InverseNorms"/>) for cosine; the
    /// query's own norm changes no order, and scores are then |query| · cosine.</summary>
    public ReadOnlySpan<float> Scales;

    /// <summary>k, results a query.</summary>
    public int Count;

    /// <summary>Out: rows, best first, equal scores by row [n × k]; −1 where there are no more.</summary>
    public Span<int> Rows;

    /// <summary>Out: scores [n × k]; −∞ where there are no more.</summary>
    public Span<float> Scores;
}
