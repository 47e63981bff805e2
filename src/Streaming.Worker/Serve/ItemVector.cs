using System.Text.Json.Serialization;

namespace Streaming.Worker.Serve;

/// <summary>An item's embedding at the requested width.</summary>
/// <param name="Item">Id.</param>
/// <param name="Title">A display title, if known.</param>
/// <param name="Step">The training step after which it was encoded.</param>
/// <param name="Vector">Its values.</param>
public sealed record ItemVector(string Item, string? Title, long Step, [property: JsonConverter(typeof(VectorConverter))] float[] Vector);
