namespace Streaming.Transport.Redis.Access;

/// <summary>Redis answers, but refuses what a trainer needs: its user lacks a right, or a key of the model is of another type.</summary>
public sealed class StoreRefusedException(string message, Exception? inner = null) : Exception(message, inner);
