namespace Streaming.Learning.Checkpoints;

/// <summary>Another trainer has taken over; this one's checkpoint was discarded.</summary>
/// <param name="message">What was found.</param>
public sealed class SupersededException(string message) : Exception(message);
