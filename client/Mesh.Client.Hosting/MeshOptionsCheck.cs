using Microsoft.Extensions.Options;

namespace Mesh.Client.Hosting;

/// <summary>
/// Options that are not usable keep the host from starting. From then on an edited file is no reason to throw at whoever reads
/// it: <see cref="ReloadedMetadata"/> tells what is wrong, and changes nothing.
/// </summary>
internal sealed class MeshOptionsCheck : IValidateOptions<MeshOptions>
{
    private volatile bool _hasStarted;

    public void Started() => _hasStarted = true;

    public ValidateOptionsResult Validate(string? name, MeshOptions options)
    {
        if (_hasStarted)
        {
            return ValidateOptionsResult.Success;
        }

        var problems = options.Problems().ToList();
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
