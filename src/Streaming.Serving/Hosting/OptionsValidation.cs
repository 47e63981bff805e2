using Microsoft.Extensions.Options;
using Streaming.Core.Options;
using Streaming.Serving.Clients;

namespace Streaming.Serving.Hosting;

/// <summary>Options are checked when the application starts, all of them at once.</summary>
internal sealed class OptionsValidation : IValidateOptions<StreamingServingOptions>
{
    public ValidateOptionsResult Validate(string? name, StreamingServingOptions options)
    {
        try
        {
            options.Validate();
            return ValidateOptionsResult.Success;
        }
        catch (OptionsException exception)
        {
            return ValidateOptionsResult.Fail(exception.Errors.Select(static error => $"StreamingServingOptions.{error}"));
        }
    }
}
