namespace Streaming.Lab.Demo.Report;

/// <summary>What is in Redis: embeddings of this model, and the memory that they and their keys take.</summary>
internal sealed record StoreSize(long Items, long Bytes);
