using System.Net;

namespace Streaming.Transport.Redis.Access;

/// <summary>What a server says of itself.</summary>
/// <param name="EndPoint">The server.</param>
/// <param name="EvictionPolicy">maxmemory-policy; empty when it does not say.</param>
/// <param name="MaxMemory">maxmemory in bytes, 0 when it has no limit.</param>
/// <param name="Replicas">Connected replicas.</param>
public readonly record struct StoreServer(EndPoint EndPoint, string EvictionPolicy, long MaxMemory, int Replicas)
{
    /// <summary>Gets a value indicating whether it may throw away keys when it is full: embeddings, fences, the pointer.</summary>
    public bool Evicts => MaxMemory > 0 && EvictionPolicy is not ("noeviction" or "");
}
