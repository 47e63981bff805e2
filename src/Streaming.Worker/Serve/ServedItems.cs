using Streaming.Serving.Lookups;
using Streaming.Serving.Search;

namespace Streaming.Worker.Serve;

/// <summary>What one request is answered from: items, store and settings of one generation.</summary>
/// <param name="View">The items.</param>
/// <param name="Reader">Reads the items of the view's generation.</param>
/// <param name="Options">How searches are made.</param>
public sealed record ServedItems(IndexView View, EmbeddingReader Reader, ServeOptions Options);
