"""What exported scripts are made of: plain functions, of which each script gets those that it uses.

Lines that import from etlml are left out of a script, and everything lands in one module there.
"""
