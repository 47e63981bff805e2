using Streaming.Serving.Lookups;
using Streaming.Serving.Search;

namespace Streaming.Worker.Serve;

/// <summary>What one request is answered from: items, store and options of one generation.</summary>
/// <param name="Lookups">What answers.</param>
/// <param name="View">The items.</param>
/// <param name="Reader">Reads items of the view's generation.</param>
/// <param name="Options">Search options.</param>
public sealed record ServedItems(Lookups Lookups, IndexView View, EmbeddingReader Reader, ServeOptions Options);
