namespace Streaming.Worker.Settings;

/// <summary>Where a value comes from.</summary>
/// <param name="Origin">The layer.</param>
/// <param name="Place">The place within it, such as settings.env:3; empty where the layer says it all.</param>
public readonly record struct SettingSource(SettingOrigin Origin, string Place);
