import { describe } from '../wire/interface.ts';

/** The bus name of the daemon. */
export const BUS_NAME = 'org.projectatomic.rpmostree1';
/** The folder of its objects. */
export const ROOT_PATH = '/org/projectatomic/rpmostree1';

export const SYSROOT = describe(`${BUS_NAME}.Sysroot`, {
  methods: {
    RegisterClient: 'a{sv} options',
    UnregisterClient: 'a{sv} options',
    Reload: '',
    ReloadConfig: '',
    GetOS: 's name -> o object_path',
  },
  properties: {
    Booted: 'o',
    Path: 's',
    ActiveTransaction: '(sss)',
    ActiveTransactionPath: 's',
    AutomaticUpdatePolicy: 's',
    Deployments: 'aa{sv}',
  },
});

export const OS_EXPERIMENTAL = describe(`${BUS_NAME}.OSExperimental`, {
  methods: {
    Moo: 'b utf8 -> s result',
    LiveFs: 'a{sv} options -> s transaction_address',
    DownloadPackages: 'as queries, s source',
  },
});

export const OS = describe(`${BUS_NAME}.OS`, {
  methods: {
    AutomaticUpdateTrigger: 'a{sv} options -> b enabled, s transaction_address',
    GetDeploymentsRpmDiff: 's deployid0, s deployid1 -> a(sua{sv}) result',
    Deploy: 's revision, a{sv} options -> s transaction_address',
    GetCachedDeployRpmDiff: 's revision, as packages -> a(sua{sv}) result, a{sv} details',
    DownloadDeployRpmDiff: 's revision, as packages -> s transaction_address',
    Upgrade: 'a{sv} options -> s transaction_address',
    GetCachedUpdateRpmDiff: 's deployid -> a(sua{sv}) result, a{sv} details',
    DownloadUpdateRpmDiff: '-> s transaction_address',
    Rollback: 'a{sv} options -> s transaction_address',
    ClearRollbackTarget: 'a{sv} options -> s transaction_address',
    Rebase: 'a{sv} options, s refspec, as packages -> s transaction_address',
    GetCachedRebaseRpmDiff: 's refspec, as packages -> a(sua{sv}) result, a{sv} details',
    DownloadRebaseRpmDiff: 's refspec, as packages -> s transaction_address',
    PkgChange: 'a{sv} options, as packages_added, as packages_removed -> s transaction_address',
    SetInitramfsState: 'b regenerate, as args, a{sv} options -> s transaction_address',
    InitramfsEtc: 'as track, as untrack, b untrack_all, b force_sync, a{sv} options -> s transaction_address',
    KernelArgs:
      's existing_kernel_arg_string, as kernel_args_added, as kernel_args_replaced, as kernel_args_removed, a{sv} options -> s transaction_address',
    GetDeploymentBootConfig: 's deployid, b is_pending -> a{sv} bootconfig',
    Cleanup: 'as elements -> s transaction_address',
    RefreshMd: 'a{sv} options -> s transaction_address',
    ModifyYumRepo: 's repo_id, a{ss} settings -> s transaction_address',
    ListRepos: '-> aa{sv} repos',
    UpdateDeployment: 'a{sv} modifiers, a{sv} options -> s transaction_address',
    FinalizeDeployment: 'a{sv} options -> s transaction_address',
    WhatProvides: 'as provides -> aa{sv} packages',
    GetPackages: 'as names -> aa{sv} packages',
    Search: 'as names -> aa{sv} packages',
  },
  properties: {
    BootedDeployment: 'a{sv}',
    DefaultDeployment: 'a{sv}',
    RollbackDeployment: 'a{sv}',
    CachedUpdate: 'a{sv}',
    HasCachedUpdateRpmDiff: 'b',
    Name: 's',
  },
});

export const OBJECT_MANAGER = describe('org.freedesktop.DBus.ObjectManager', {
  methods: { GetManagedObjects: '-> a{oa{sa{sv}}} object_paths_interfaces_and_properties' },
});

export const TRANSACTION = describe(`${BUS_NAME}.Transaction`, {
  methods: { Cancel: '', Start: '-> b started' },
  signals: {
    Finished: 'b success, s error_message',
    Message: 's text',
    TaskBegin: 's text',
    TaskEnd: 's text',
    PercentProgress: 's text, u percentage',
    DownloadProgress: '(tt) time, (uu) outstanding, (uuu) metadata, (uuut) delta, (uu) content, (tt) transfer',
    SignatureProgress: 'av signature, s commit',
    ProgressEnd: '',
  },
  properties: { Title: 's', InitiatingClientDescription: 's' },
});
