namespace Streaming.Worker.Settings;

/// <summary>Who a section of settings is for.</summary>
public enum SettingGroup
{
    /// <summary>Whoever runs the worker: servers, limits, health.</summary>
    Operations,

    /// <summary>Whoever tunes the model: shape, loss, training.</summary>
    Model,
}
