namespace Streaming.Lab.Demo.Report;

/// <summary>The contents of Redis: this model's embeddings, and the memory used by them and their keys.</summary>
internal sealed record StoreSize(long Items, long Bytes);
